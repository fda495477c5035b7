//! [`Smtp`]: an SMTP server that mail is handed to, and how the connection is protected.

use checkup_core::Secret;
use serde::{Deserialize, Serialize};

/// An SMTP server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Smtp {
    /// The server's name.
    pub server: String,
    /// The server's port. Default: 25.
    #[serde(default = "port_25", skip_serializing_if = "is_port_25")]
    pub port: u16,
    /// How the connection is protected: `starttls`, `tls`, `opportunistic` or `none`. Default: `tls` for port 465, `starttls` for port 587 and if
    /// there is a `username`, otherwise `opportunistic`. As in upstream, a password is sent unprotected only to this machine (unless `none` asks for it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<SmtpSecurity>,
    /// The user's name. Default: no authentication.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The user's password.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub password: Secret,
    /// A file with certificates in PEM, which are trusted in addition to the system's. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
}

/// How a connection to an SMTP server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SmtpSecurity {
    /// TLS after the command `STARTTLS`, which the server must have.
    StartTls,
    /// TLS from the beginning.
    Tls,
    /// `STARTTLS` if the server has it. It protects from listeners, not from attackers who change what is sent.
    Opportunistic,
    /// No TLS.
    None,
}

impl Smtp {
    /// This server, on port 25.
    pub fn new(server: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            port: port_25(),
            security: None,
            username: String::new(),
            password: Secret::default(),
            ca_file: None,
        }
    }

    /// Sets the port. Default: 25.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets how the connection is protected. Default: see [`Smtp::security`].
    #[must_use]
    pub fn security(mut self, security: SmtpSecurity) -> Self {
        self.security = Some(security);
        self
    }

    /// Authenticates with this name and password. Default: no authentication.
    #[must_use]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.username = username.into();
        self.password = password.into();
        self
    }

    /// Trusts the certificates of this PEM file in addition to the system's. Default: none.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<String>) -> Self {
        self.ca_file = Some(path.into());
        self
    }
}

fn port_25() -> u16 {
    25
}

fn is_port_25(port: &u16) -> bool {
    *port == port_25()
}
