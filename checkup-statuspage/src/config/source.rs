//! The source of the page's data: `source` in the settings in the page.

use serde::Serialize;

use crate::config::link;

/// The data that are published with a page that does not read check files.
pub(crate) const DATA_FILE: &str = "overview.json";

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
    /// A file that is published with the page, in the form in which a server sends its data.
    #[serde(rename = "api")]
    Published { url: String },
}

impl PageSource {
    /// The file that is published with the page.
    pub(crate) fn published() -> Self {
        Self::Published { url: DATA_FILE.to_owned() }
    }

    pub(crate) fn is_published(&self) -> bool {
        matches!(self, Self::Published { .. })
    }

    /// The source that a storage reports. `None` for kinds that this version does not know.
    pub(crate) fn of(place: checkup_core::PageSource) -> Option<Self> {
        match place {
            checkup_core::PageSource::Index { url } => Some(Self::Index { url }),
            checkup_core::PageSource::S3 { url, prefix } => Some(Self::S3 { url, prefix }),
            checkup_core::PageSource::Private => Some(Self::published()),
            _ => None,
        }
    }

    /// The origin that the page must be allowed to connect to, if it is another one.
    pub(crate) fn origin(&self) -> Option<String> {
        match self {
            Self::Api | Self::Published { .. } => None,
            Self::Index { url } | Self::S3 { url, .. } => link::origin(url),
        }
    }
}
