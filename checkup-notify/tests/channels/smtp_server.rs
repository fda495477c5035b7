//! An SMTP server on loopback with STARTTLS and authentication, which is strict about the order of commands.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use checkup_testkit::tokio_rustls::TlsAcceptor;
use checkup_testkit::tokio_rustls::rustls::ServerConfig;
use checkup_testkit::tokio_rustls::rustls::crypto::aws_lc_rs;
use checkup_testkit::tokio_rustls::rustls::pki_types::pem::PemObject;
use checkup_testkit::tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use checkup_testkit::{Ca, TcpServer};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};

/// `\0checkup\0` and the secret, in Base64.
const PLAIN: &str = "AGNoZWNrdXAAczNjcjN0czNjcjN0czNjcjN0czNjcjN0czNjcjN0MDA=";

/// What the server does differently from one that accepts everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// Speaks TLS from the beginning.
    pub(crate) is_wrapped: bool,
    /// Has no STARTTLS.
    pub(crate) without_starttls: bool,
    /// Wants a name and a password, which it offers only after TLS.
    pub(crate) wants_login: bool,
    /// The command that gets another answer, and the answer.
    pub(crate) refuses: Option<(&'static str, &'static str)>,
}

/// A message that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
    pub(crate) over_tls: bool,
    pub(crate) is_authenticated: bool,
}

pub(crate) struct SmtpServer {
    tcp: TcpServer,
    received: Arc<Mutex<Vec<Received>>>,
    folder: TempDir,
}

impl SmtpServer {
    pub(crate) fn start(rules: Rules) -> Self {
        let (ca, folder) = (Ca::new(), TempDir::new().unwrap());
        std::fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
        let identity = ca.server(&["localhost", "127.0.0.1"]);
        let certificates =
            CertificateDer::pem_slice_iter(identity.cert_pem.as_bytes()).collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let list = Arc::clone(&received);
        let tcp = TcpServer::start(move |connection| {
            let (rules, acceptor, list) = (rules.clone(), acceptor.clone(), Arc::clone(&list));
            async move {
                if rules.is_wrapped {
                    if let Ok(connection) = acceptor.accept(connection).await {
                        let _ = Session::new(BufStream::new(connection), &rules, &list, true).run().await;
                    }
                    return;
                }
                let mut session = Session::new(BufStream::new(connection), &rules, &list, false);
                if let Some(Next::Tls) = session.run().await
                    && let Ok(connection) = acceptor.accept(session.stream.into_inner()).await
                {
                    let _ = Session::new(BufStream::new(connection), &rules, &list, true).run_silently().await;
                }
            }
        });
        Self { tcp, received, folder }
    }

    pub(crate) fn port(&self) -> u16 {
        self.tcp.addr().port()
    }

    /// The certificate of the authority that the server's is from.
    pub(crate) fn ca_file(&self) -> PathBuf {
        Path::new(self.folder.path()).join("ca.pem")
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// How a session goes on.
enum Next {
    Tls,
}

struct Session<'a, S> {
    stream: BufStream<S>,
    rules: &'a Rules,
    list: &'a Mutex<Vec<Received>>,
    over_tls: bool,
    is_authenticated: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    fn new(stream: BufStream<S>, rules: &'a Rules, list: &'a Mutex<Vec<Received>>, over_tls: bool) -> Self {
        Self { stream, rules, list, over_tls, is_authenticated: false, from: None, to: Vec::new() }
    }

    async fn run(&mut self) -> Option<Next> {
        match self.rules.refuses {
            Some(("CONNECT", answer)) => {
                self.say(answer).await?;
                return None;
            }
            _ => self.say("220 localhost ESMTP").await?,
        }
        self.run_silently().await
    }

    /// After STARTTLS, the server does not greet again.
    async fn run_silently(&mut self) -> Option<Next> {
        loop {
            let line = self.line().await?;
            let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            if let Some((refused, answer)) = self.rules.refuses
                && refused == command
            {
                self.say(answer).await?;
                continue;
            }
            let may_send = !self.rules.wants_login || self.is_authenticated;
            match command.as_str() {
                "EHLO" => {
                    let mut answer = "250-localhost\r\n".to_owned();
                    if !self.over_tls && !self.rules.without_starttls {
                        answer.push_str("250-STARTTLS\r\n");
                    }
                    if self.rules.wants_login && (self.over_tls || self.rules.without_starttls) {
                        answer.push_str("250-AUTH PLAIN LOGIN\r\n");
                    }
                    self.say(&(answer + "250 8BITMIME")).await?;
                }
                "STARTTLS" if !self.over_tls && !self.rules.without_starttls => {
                    self.say("220 go ahead").await?;
                    return Some(Next::Tls);
                }
                "AUTH" if line == format!("AUTH PLAIN {PLAIN}") => {
                    self.is_authenticated = true;
                    self.say("235 accepted").await?;
                }
                "AUTH" => self.say(&format!("535 5.7.8 {line} is wrong")).await?,
                "MAIL" | "RCPT" | "DATA" if !may_send => self.say("530 5.7.0 authentication required").await?,
                "MAIL" if self.from.is_none() => {
                    self.from = Some(address(&line)?);
                    self.say("250 ok").await?;
                }
                "RCPT" if self.from.is_some() => {
                    self.to.push(address(&line)?);
                    self.say("250 ok").await?;
                }
                "DATA" if !self.to.is_empty() => {
                    self.say("354 go ahead").await?;
                    let data = self.data().await?;
                    let (from, to) = (self.from.take()?, std::mem::take(&mut self.to));
                    let (over_tls, is_authenticated) = (self.over_tls, self.is_authenticated);
                    self.list.lock().unwrap().push(Received { from, to, data, over_tls, is_authenticated });
                    self.say("250 queued").await?;
                }
                "QUIT" => {
                    self.say("221 bye").await?;
                    return None;
                }
                "RSET" | "NOOP" => self.say("250 ok").await?,
                _ => self.say("503 bad sequence of commands").await?,
            }
        }
    }

    async fn data(&mut self) -> Option<String> {
        let mut data = String::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                return Some(data);
            }
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
            data.push('\n');
        }
    }

    /// A line, which must end in CR and LF and be of the length that RFC 5321 allows.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.ok()?;
        let line = line.strip_suffix("\r\n")?;
        assert!(line.len() <= 998 && !line.contains('\r'), "a line that is too long or has a bare CR");
        Some(line.to_owned())
    }

    async fn say(&mut self, answer: &str) -> Option<()> {
        self.stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()
    }
}

/// The address in `MAIL FROM:<…>`.
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('<')?;
    Some(rest.split_once('>')?.0.to_owned())
}
