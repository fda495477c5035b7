//! [`Connection`]: how to reach an SMTP server, and its errors in words.

use std::fmt;
use std::fs;
use std::io;
use std::time::Duration;

use checkup_core::text::excerpt;
use checkup_core::{ConfigError, ConfigProblems, ErrorChain, NotifyError};
use lettre::Tokio1Executor;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransport, Error};
use tokio::sync::OnceCell;

use super::smtp::{Smtp, SmtpSecurity};
use crate::blocking::blocking;
use crate::secrets::Secrets;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// How long each step of a delivery may take: connecting, and each answer of the server.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How large a file of certificates is.
const MAX_CA_BYTES: u64 = 1 << 20;

/// How much of a server's own words an error shows.
const MAX_SAID: usize = 200;

/// A server, with what is needed to connect to it.
pub(super) struct Connection {
    settings: Smtp,
    security: SmtpSecurity,
    roots: Vec<Certificate>,
    secrets: Secrets,
    /// Made by the first delivery, because it loads the system's root certificates.
    transport: OnceCell<Transport>,
}

impl Connection {
    pub(super) fn new(mut settings: Smtp) -> Result<Self, ConfigError> {
        let mut problems = ConfigProblems::new();
        settings.server = settings.server.trim().to_owned();
        if settings.server.is_empty()
            || settings.server.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/')
        {
            problems
                .push(ConfigError::reason("server", "expected the name of an SMTP server, such as smtp.example.com"));
        }
        if settings.port == 0 {
            problems.push(ConfigError::expected("port", "1 to 65535").found(0));
        }
        if settings.username.is_empty() != settings.password.is_empty() {
            problems.push(ConfigError::reason("username", "expected both `username` and `password`, or neither"));
        }
        let security = settings.security.unwrap_or(match settings.port {
            465 => SmtpSecurity::Tls,
            587 => SmtpSecurity::StartTls,
            _ if settings.username.is_empty() || is_local(&settings.server) => SmtpSecurity::Opportunistic,
            _ => SmtpSecurity::StartTls,
        });
        if security == SmtpSecurity::Opportunistic && !settings.username.is_empty() && !is_local(&settings.server) {
            let reason = "expected `starttls` or `tls`, since `opportunistic` would send the password to anyone who answers for the server";
            problems.push(ConfigError::reason("security", reason));
        }
        if security == SmtpSecurity::None && settings.ca_file.is_some() {
            problems.push(ConfigError::reason("ca_file", "has no meaning with `security: none`; remove one of them"));
        }
        let roots = match &settings.ca_file {
            Some(path) => problems.take(roots(path)),
            None => Some(Vec::new()),
        };
        let secrets = Secrets::new().and(settings.password.clone());
        problems.finish(|| Some(Self { settings, security, roots: roots?, secrets, transport: OnceCell::new() }))
    }

    /// The connection's transport, which connects for each message.
    pub(super) async fn transport(&self) -> Result<&Transport, NotifyError> {
        self.transport.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Transport, NotifyError> {
        let (security, server, roots) = (self.security, self.settings.server.clone(), self.roots.clone());
        let made = blocking(move || tls(security, &server, roots)).await;
        let mut builder = Transport::builder_dangerous(&self.settings.server)
            .port(self.settings.port)
            .timeout(Some(TIMEOUT))
            .tls(made.map_err(|error| self.explain(&error))?);
        if !self.settings.username.is_empty() {
            let password = self.settings.password.expose().to_owned();
            builder = builder.credentials(Credentials::new(self.settings.username.clone(), password));
        }
        Ok(builder.build())
    }

    /// The error of a delivery that has taken too long as a whole.
    pub(super) fn too_slow(&self, limit: Duration) -> NotifyError {
        let (server, port) = (&self.settings.server, self.settings.port);
        NotifyError::temporary(format!("mail: {server}:{port}: not delivered within {} s", limit.as_secs()))
    }

    /// What an error means, and what to do about it.
    pub(super) fn explain(&self, error: &Error) -> NotifyError {
        let place = format!("{}:{}", self.settings.server, self.settings.port);
        let code = error.status().map(u16::from);
        let cause = causes(error).find(|cause| !cause.is::<Error>());
        let cause = cause.map_or_else(|| error.to_string(), |cause| ErrorChain(cause).to_string());
        let (words, remedy) = match code {
            Some(421 | 450 | 451 | 452) => ("the server asks to try again later", ""),
            Some(530) if cause.to_ascii_uppercase().contains("STARTTLS") => {
                ("the server requires TLS", "set `smtp.security: starttls`")
            }
            Some(530) => ("the server requires authentication", "set `smtp.username` and `smtp.password`"),
            Some(534 | 535) => {
                ("the user name or the password is refused", "check `smtp.username` and `smtp.password`")
            }
            Some(538) => ("the server requires TLS for authentication", "set `smtp.security`"),
            Some(550 | 551 | 553) => ("an address is refused", "check `from` and `to`"),
            Some(552) => ("the message is too large, or a mailbox is full", "check the mailboxes in `to`"),
            Some(554) => ("the message is refused", "check that the server may send mail of `from`"),
            Some(_) => ("the server refuses the message", "check `smtp`"),
            None if error.is_timeout() => ("no answer in time", "check `smtp.server` and `smtp.port`"),
            None if error.is_tls() || is_tls(error) => {
                ("no TLS connection", "check `smtp.security`, and `smtp.ca_file` for a private authority")
            }
            None if error.is_client() => {
                ("no delivery", "check `smtp.security`, `smtp.username` and what the server supports")
            }
            None => ("no delivery", ""),
        };
        let said = excerpt(self.secrets.hide(&cause).as_bytes(), MAX_SAID);
        let code = code.map(|code| format!("{code}: ")).unwrap_or_default();
        let semicolon = if remedy.is_empty() { "" } else { "; " };
        let message = format!("mail: {place}: {words} ({code}{said}){semicolon}{remedy}");
        if error.is_permanent() || error.is_client() {
            NotifyError::permanent(message)
        } else {
            NotifyError::temporary(message)
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("security", &self.security).finish_non_exhaustive()
    }
}

/// Whether TLS has failed while connecting: lettre reports that like any other error of the connection, and rustls says `InvalidData`.
fn is_tls(error: &Error) -> bool {
    causes(error)
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidData))
}

/// The errors that caused this one. Some of them are of lettre too.
fn causes(error: &Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
}

fn tls(security: SmtpSecurity, server: &str, roots: Vec<Certificate>) -> Result<Tls, Error> {
    if security == SmtpSecurity::None {
        return Ok(Tls::None);
    }
    let builder = TlsParameters::builder(server.to_owned());
    let parameters =
        roots.into_iter().fold(builder, |builder, root| builder.add_root_certificate(root)).build_rustls()?;
    Ok(match security {
        SmtpSecurity::Tls => Tls::Wrapper(parameters),
        SmtpSecurity::Opportunistic => Tls::Opportunistic(parameters),
        _ => Tls::Required(parameters),
    })
}

fn roots(path: &str) -> Result<Vec<Certificate>, ConfigError> {
    let unreadable =
        |error: &dyn fmt::Display| ConfigError::invalid("ca_file", format!("cannot read {path:?}: {error}"));
    let size = fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if size > MAX_CA_BYTES {
        return Err(unreadable(&"it is larger than 1 MiB"));
    }
    let pem = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    const END: &str = "-----END CERTIFICATE-----";
    let certificates = pem.split_inclusive(END).filter(|part| part.contains(END));
    let certificates: Result<Vec<_>, _> = certificates.map(|part| Certificate::from_pem(part.as_bytes())).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unreadable(&"it has no certificate in PEM")),
        Err(_) => Err(unreadable(&"a certificate in it is not valid PEM")),
    }
}

/// Whether the server is this machine, to which a password may be sent without TLS.
fn is_local(server: &str) -> bool {
    server.eq_ignore_ascii_case("localhost")
        || server.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
