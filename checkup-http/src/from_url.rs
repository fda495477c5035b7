//! Makes HTTP checks from URLs.

use checkup_core::ConfigError;
use checkup_core::config::{CheckUrl, FromUrl};

use crate::Http;

impl FromUrl for Http {
    const FORMS: &'static [&'static str] = &["http://…", "https://…"];

    fn from_url(url: &CheckUrl<'_>) -> Result<Self, ConfigError> {
        Ok(Http::new(url.as_str()))
    }
}
