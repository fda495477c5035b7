//! [`PagePublisher`]: puts the files of a status page next to the check files.

use checkup_core::{PageFile, PagePublisher, PageSource, Published, StorageError, async_trait};
use http::HeaderValue;
use object_store::{Attribute, Attributes};

use crate::compression;
use crate::files::Files;

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
        if self.has(file.name(), file.content(), &attributes).await? {
            return Ok(Published::Unchanged);
        }
        self.put_with(file.name(), content, attributes).await?;
        Ok(Published::Written)
    }

    fn page_source(&self) -> PageSource {
        let target = self.target();
        PageSource::S3 { url: format!("{}/", target.public_url()), prefix: target.prefix.clone() }
    }
}
