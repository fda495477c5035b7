//! [`StartTls`]: asks a server to change from plain text to TLS, in the words of its protocol.

use std::fmt;

use checkup_core::{Cause, Failure, Phase};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::excerpt;

/// The longest dialogue that is read, in bytes.
const MAX_ANSWERS: usize = 16 << 10;

/// How much of an answer a message shows, in characters.
const MAX_SHOWN: usize = 120;

/// The object identifier of StartTLS (RFC 4511, section 4.14.1).
const LDAP_START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// The capabilities that the client announces: protocol 4.1, TLS, secure passwords and plugins for authentication.
const MYSQL_CAPABILITIES: u32 = 0x0200 | MYSQL_TLS | 0x8000 | 0x0008_0000;

/// The capability `CLIENT_SSL`.
const MYSQL_TLS: u32 = 0x0800;

/// A protocol that begins without TLS and changes to it when the client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StartTls {
    /// SMTP (RFC 3207). Port 25, or 587 for submission.
    Smtp,
    /// IMAP (RFC 2595). Port 143.
    Imap,
    /// POP3 (RFC 2595). Port 110.
    Pop3,
    /// FTP (RFC 4217). Port 21.
    Ftp,
    /// LDAP (RFC 4511). Port 389.
    Ldap,
    /// XMPP for clients (RFC 6120). Port 5222.
    Xmpp,
    /// PostgreSQL. Port 5432.
    Postgres,
    /// MySQL and MariaDB. Port 3306.
    Mysql,
}

impl StartTls {
    /// The name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::Ldap => "ldap",
            Self::Xmpp => "xmpp",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }

    /// The usual port of the protocol.
    pub const fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Pop3 => 110,
            Self::Ftp => 21,
            Self::Ldap => 389,
            Self::Xmpp => 5222,
            Self::Postgres => 5432,
            Self::Mysql => 3306,
        }
    }

    /// Asks the server to change to TLS. When this returns, the TLS handshake can begin. `host` is the name of the server, which XMPP
    /// needs.
    ///
    /// Marks [`Phase::FirstByte`]. At most 16 KiB are read.
    ///
    /// # Errors
    ///
    /// If the server does not speak the protocol, does not offer TLS, refuses it, or sends something after its consent and before the
    /// handshake: that would be read as if it had come over TLS, although anyone on the way could have added it.
    pub async fn ask(self, connection: &mut TcpStream, host: &str) -> Result<(), Failure> {
        Phase::FirstByte.begin();
        Phase::note(format!("asking for TLS over {self}"));
        let mut dialogue = Dialogue { protocol: self, connection, answer: Vec::new(), read: 0 };
        match self {
            Self::Smtp => dialogue.smtp().await,
            Self::Imap => dialogue.imap().await,
            Self::Pop3 => dialogue.pop3().await,
            Self::Ftp => dialogue.ftp().await,
            Self::Ldap => dialogue.ldap().await,
            Self::Xmpp => dialogue.xmpp(host).await,
            Self::Postgres => dialogue.postgres().await,
            Self::Mysql => dialogue.mysql().await,
        }?;
        Phase::end();
        if dialogue.answer.is_empty() {
            return Ok(());
        }
        let message = format!("the server sent data between its consent to TLS and the handshake ({self})");
        Err(Failure::protocol(message))
    }
}

impl fmt::Display for StartTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A dialogue with a server, and what it has sent that is not used yet.
struct Dialogue<'a> {
    protocol: StartTls,
    connection: &'a mut TcpStream,
    answer: Vec<u8>,
    /// How much was read in all.
    read: usize,
}

impl Dialogue<'_> {
    async fn smtp(&mut self) -> Result<(), Failure> {
        self.expect_reply("220").await?;
        self.send(b"EHLO checkup.invalid\r\n").await?;
        let offers = self.expect_reply("250").await?;
        if !offers.iter().any(|line| line.get(4..).is_some_and(|offer| offer.trim().eq_ignore_ascii_case("STARTTLS"))) {
            return Err(self.not_offered());
        }
        self.send(b"STARTTLS\r\n").await?;
        self.expect_reply("220").await.map(drop)
    }

    async fn ftp(&mut self) -> Result<(), Failure> {
        self.expect_reply("220").await?;
        self.send(b"AUTH TLS\r\n").await?;
        self.expect_reply("234").await.map(drop)
    }

    async fn pop3(&mut self) -> Result<(), Failure> {
        for command in [None, Some(b"STLS\r\n")] {
            if let Some(command) = command {
                self.send(command).await?;
            }
            let line = self.line().await?;
            if !line.starts_with("+OK") {
                return Err(self.refused(line.as_bytes()));
            }
        }
        Ok(())
    }

    async fn imap(&mut self) -> Result<(), Failure> {
        let greeting = self.line().await?;
        if !greeting.starts_with("* OK") {
            return Err(self.refused(greeting.as_bytes()));
        }
        self.send(b"a1 STARTTLS\r\n").await?;
        loop {
            // Untagged lines may come at any time.
            let line = self.line().await?;
            match line.strip_prefix("a1 ") {
                Some(result) if result.to_ascii_uppercase().starts_with("OK") => return Ok(()),
                Some(_) => return Err(self.refused(line.as_bytes())),
                None if line.starts_with('*') => {}
                None => return Err(self.refused(line.as_bytes())),
            }
        }
    }

    async fn ldap(&mut self) -> Result<(), Failure> {
        // LDAPMessage { messageID 1, ExtendedRequest { requestName } }; no length needs more than one byte.
        let mut request = vec![0x30, 29, 0x02, 1, 1, 0x77, 24, 0x80, 22];
        request.extend_from_slice(LDAP_START_TLS);
        self.send(&request).await?;
        let head = self.bytes(2).await?;
        let length = match (head[0], head[1]) {
            (0x30, length @ 0..=0x7f) => usize::from(length),
            (0x30, digits @ 0x81..=0x84) => {
                let digits = self.bytes(usize::from(digits & 0x7f)).await?;
                digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
            }
            _ => return Err(self.refused(&head)),
        };
        let message = self.bytes(length).await?;
        // messageID 1, then an ExtendedResponse that begins with its resultCode.
        let [0x02, 1, 1, 0x78, rest @ ..] = message.as_slice() else { return Err(self.refused(&message)) };
        let long = rest.first().map_or(0, |first| if *first > 0x80 { usize::from(first & 0x7f) } else { 0 });
        match rest.get(1 + long..) {
            Some([0x0a, 1, 0, ..]) => Ok(()),
            Some([0x0a, 1, code, ..]) => Err(Failure::protocol(format!(
                "the server refuses TLS over ldap: result code {code}; enable TLS there"
            ))),
            _ => Err(self.refused(&message)),
        }
    }

    async fn xmpp(&mut self, host: &str) -> Result<(), Failure> {
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{host}' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        );
        self.send(open.as_bytes()).await?;
        let features = self.until(&[b"</stream:features>", b"<stream:features/>", b"</stream:error>"]).await?;
        if contains(&features, b"</stream:error>") {
            return Err(self.refused(&features));
        }
        if !contains(&features, b"urn:ietf:params:xml:ns:xmpp-tls") {
            return Err(self.not_offered());
        }
        self.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
        let answer = self.until(&[b">"]).await?;
        if contains(&answer, b"<proceed") { Ok(()) } else { Err(self.refused(&answer)) }
    }

    async fn postgres(&mut self) -> Result<(), Failure> {
        // SSLRequest: its length, and the code 80877103.
        self.send(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await?;
        match self.bytes(1).await?.as_slice() {
            b"S" => Ok(()),
            b"N" => Err(self.not_offered()),
            other => Err(self.refused(other)),
        }
    }

    async fn mysql(&mut self) -> Result<(), Failure> {
        let head = self.bytes(4).await?;
        let greeting =
            self.bytes(usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16).await?;
        // Version 10 of the protocol, and the text of the server's version, up to a zero.
        let version_end = greeting.iter().position(|byte| *byte == 0);
        let (Some(10), Some(end)) = (greeting.first(), version_end) else { return Err(self.refused(&greeting)) };
        // Then the thread, 8 bytes for the password, a zero, and the lower half of the capabilities.
        let Some([low, high]) = greeting.get(end + 14..end + 16) else { return Err(self.refused(&greeting)) };
        if (u32::from(*low) | u32::from(*high) << 8) & MYSQL_TLS == 0 {
            return Err(self.not_offered());
        }
        // SSLRequest: the capabilities, the longest packet, utf8mb4, and 23 zeros.
        let mut request = vec![32, 0, 0, 1];
        request.extend_from_slice(&MYSQL_CAPABILITIES.to_le_bytes());
        request.extend_from_slice(&(1_u32 << 24).to_le_bytes());
        request.push(45);
        request.resize(36, 0);
        self.send(&request).await
    }

    /// Reads a reply of SMTP or FTP: lines with a code, where all but the last have a dash after it.
    async fn expect_reply(&mut self, code: &str) -> Result<Vec<String>, Failure> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            if !line.starts_with(code) {
                return Err(self.refused(line.as_bytes()));
            }
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if is_last {
                return Ok(lines);
            }
        }
    }

    async fn line(&mut self) -> Result<String, Failure> {
        let line = self.until(&[b"\n"]).await?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Reads up to and including the first of these texts.
    async fn until(&mut self, ends: &[&[u8]]) -> Result<Vec<u8>, Failure> {
        loop {
            let found = ends.iter().filter_map(|end| {
                self.answer.windows(end.len()).position(|window| window == *end).map(|start| start + end.len())
            });
            if let Some(end) = found.min() {
                return Ok(self.answer.drain(..end).collect());
            }
            self.more().await?;
        }
    }

    async fn bytes(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        if count > MAX_ANSWERS {
            return Err(self.too_long());
        }
        while self.answer.len() < count {
            self.more().await?;
        }
        Ok(self.answer.drain(..count).collect())
    }

    async fn more(&mut self) -> Result<(), Failure> {
        if self.read >= MAX_ANSWERS {
            return Err(self.too_long());
        }
        let limit = (MAX_ANSWERS - self.read) as u64;
        let read = (&mut *self.connection).take(limit).read_buf(&mut self.answer).await?;
        self.read += read;
        if read == 0 {
            let answer = std::mem::take(&mut self.answer);
            return Err(match answer.is_empty() {
                true => Failure::new(
                    Cause::Network,
                    format!("the server closed the connection before TLS ({})", self.protocol),
                ),
                false => self.refused(&answer),
            });
        }
        Ok(())
    }

    async fn send(&mut self, request: &[u8]) -> Result<(), Failure> {
        self.connection.write_all(request).await?;
        Ok(())
    }

    fn not_offered(&self) -> Failure {
        Failure::protocol(format!(
            "the server does not offer TLS over {}; enable it there, or leave out `starttls`",
            self.protocol
        ))
    }

    fn refused(&self, answer: &[u8]) -> Failure {
        let shown = excerpt(answer, MAX_SHOWN);
        Failure::protocol(format!("the server does not change to TLS over {}; it answers '{shown}'", self.protocol))
    }

    fn too_long(&self) -> Failure {
        Failure::protocol(format!(
            "the server sends too much before TLS; does it speak {} on this port?",
            self.protocol
        ))
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
