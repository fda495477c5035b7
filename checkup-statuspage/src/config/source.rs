//! The source of the page's data: `source` in the settings in the page.

use serde::Serialize;

use crate::config::link;

/// The source of the page's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum PageSource {
    /// The server of the page, in one request.
    Api,
    /// A folder with an `index.json`.
    Index { url: String },
    /// A bucket that anonymous visitors may read, and list unless it has an `index.json`.
    S3 { url: String, prefix: String },
}

impl PageSource {
    /// The source that a storage reports. `None` for kinds that this version does not know.
    pub(crate) fn of(place: checkup_core::PageSource) -> Option<Self> {
        match place {
            checkup_core::PageSource::Index { url } => Some(Self::Index { url }),
            checkup_core::PageSource::S3 { url, prefix } => Some(Self::S3 { url, prefix }),
            _ => None,
        }
    }

    /// The origin that the page must be allowed to connect to, if it is another one.
    pub(crate) fn origin(&self) -> Option<String> {
        match self {
            Self::Api => None,
            Self::Index { url } | Self::S3 { url, .. } => link::origin(url),
        }
    }
}
