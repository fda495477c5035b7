//! [`PagePublisher`]: puts the files of a status page next to the check files.

use checkup_core::archive::NamedFiles;
use checkup_core::{ErrorChain, PageFile, PagePublisher, PageSource, Published, StorageError, async_trait};
use http::HeaderValue;
use object_store::{Attribute, Attributes};

use crate::connection::Connection;
use crate::files::Files;
use crate::target::{Credentials, Target};
use crate::{compression, index};

#[async_trait]
impl PagePublisher for Files {
    async fn publish(&self, file: &PageFile) -> Result<Published, StorageError> {
        for value in [file.content_type(), file.caching()] {
            HeaderValue::from_str(value).map_err(|_| {
                StorageError::new(format!(
                    "cannot publish {}: expected the value of a header, found {value:?}",
                    file.name()
                ))
            })?;
        }
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, file.content_type().to_owned().into());
        attributes.insert(Attribute::CacheControl, file.caching().to_owned().into());
        let (content, attributes) = compression::compress(file.content(), attributes).await;
        let files = self.of_page();
        if files.has(file.name(), file.content(), &attributes).await? {
            return Ok(Published::Unchanged);
        }
        files.put_with(file.name(), content, attributes).await?;
        Ok(Published::Written)
    }

    async fn warning(&self) -> Result<Option<String>, StorageError> {
        if self.target().page_prefix.is_some() {
            // The page does not read check files.
            return Ok(None);
        }
        if self.target().index {
            index::write(self).await?;
            return Ok(None);
        }
        let anyone = Target { credentials: Credentials::Anonymous, ..self.target().clone() };
        let prefix = anyone.prefix.clone();
        let listed = Files::new(Connection::new(anyone, Box::new(|_| None))).list("", 1).await;
        Ok(listed.err().map(|error| {
            let why = ErrorChain(&error);
            format!(
                "visitors do not see new results, since they cannot list the check files ({why}); let anyone list the bucket with the \
                 prefix {prefix:?} (`checkup provision` does that), or set `index` in the storage's settings if the server serves files but no lists"
            )
        }))
    }

    fn page_source(&self) -> PageSource {
        let target = self.target();
        if target.page_prefix.is_some() {
            return PageSource::Private;
        }
        if target.index {
            // Next to the page, wherever the server shows it.
            return PageSource::Index { url: "./".to_owned() };
        }
        PageSource::S3 { url: format!("{}/", target.public_url()), prefix: target.prefix.clone() }
    }
}
