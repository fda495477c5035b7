//! A checker for Redis servers. It sends `AUTH` if a password is set, and then `PING`.
//!
//! ```
//! use checkup_core::{Check, Checkup};
//! use checkup_redis::Redis;
//!
//! # fn main() -> Result<(), checkup_core::ConfigError> {
//! let redis = Redis { endpoint_url: "localhost:6379".into(), password: "hunter2".into() };
//! let checkup = Checkup::builder().check(Check::new("cache", redis)).build()?;
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;

use checkup_core::{Checker, Failure, Observation, Phase, Secret, async_trait};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

/// Checks that a Redis server answers `PING`.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// The server, as `host:port`.
    pub endpoint_url: String,
    /// The password for `AUTH`; empty for no password.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub password: Secret,
}

#[async_trait]
impl Checker for Redis {
    fn endpoint(&self) -> Cow<'_, str> {
        self.endpoint_url.as_str().into()
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        Phase::Connect.begin();
        let mut server = BufReader::new(tokio::net::TcpStream::connect(&self.endpoint_url).await?);
        Phase::FirstByte.begin();
        let auth = ["AUTH", self.password.expose()];
        for words in [&auth[..], &["PING"]].into_iter().skip(self.password.is_empty().into()) {
            // An array of bulk strings: the password may contain any bytes.
            let bulks: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
            server.write_all(format!("*{}\r\n{bulks}", words.len()).as_bytes()).await?;
            let mut answer = String::new();
            (&mut server).take(512).read_line(&mut answer).await?;
            if !["+OK\r\n", "+PONG\r\n"].contains(&answer.as_str()) {
                return Err(Failure::assertion(format!("{} was answered with {answer:?}", words[0])));
            }
        }
        Ok(Observation::new())
    }
}
