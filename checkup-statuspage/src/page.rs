//! The page: its code and settings as files for a server, a folder or a bucket.

mod assets;
pub(crate) mod files;
pub(crate) mod page_config;
mod plain;
mod publish;
pub(crate) mod shown;
mod static_page;

pub use publish::{PublishError, PublishedFile, deploy, export};
pub use static_page::StaticPage;
