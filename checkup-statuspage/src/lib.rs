//! The status page of Checkup: static, served and embedded.

mod api;
mod assets;
mod badge;
mod check_files;
mod config;
mod data;
mod export;
mod feed;
mod health;
mod link;
mod live;
mod metrics;
mod overview;
mod page;
mod publish;
mod representation;
mod router;
mod server;
mod site;
mod source;
mod timeline;
mod xml;

pub use config::{Group, Link, Order, PageStorage, PageStorageType, StatusPage, StatusText};
pub use export::StaticPage;
pub use publish::{PublishError, PublishedFile, deploy, export};
pub use server::{Server, serve};
pub use site::{Site, SiteBuilder};
