//! Where the page gets its data, as `source` in its settings says.

use serde::Serialize;

use crate::config::link;

/// Where the page gets its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum PageSource {
    /// From the server that it came from, in one request.
    Api,
    /// From a folder with an `index.json`.
    Index { url: String },
    /// From a bucket that everybody may list and read.
    S3 { url: String, prefix: String },
}

impl PageSource {
    /// What a storage says; `None` for what only later versions know.
    pub(crate) fn of(place: checkup_core::PageSource) -> Option<Self> {
        match place {
            checkup_core::PageSource::Index { url } => Some(Self::Index { url }),
            checkup_core::PageSource::S3 { url, prefix } => Some(Self::S3 { url, prefix }),
            _ => None,
        }
    }

    /// The origin that the page must be allowed to connect to, if it is not its own.
    pub(crate) fn origin(&self) -> Option<String> {
        match self {
            Self::Api => None,
            Self::Index { url } | Self::S3 { url, .. } => link::origin(url),
        }
    }
}
