use checkup_core::{PageFile, PagePublisher, PageSource, Published, StorageError, async_trait};
use http::HeaderValue;
use object_store::{Attribute, Attributes};

use crate::{S3Storage, compression};

#[async_trait]
impl PagePublisher for S3Storage {
    async fn publish(&self, file: &PageFile) -> Result<Published, StorageError> {
        let files = self.objects();
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
        if files.has(file.name(), file.content(), &attributes).await? {
            return Ok(Published::Unchanged);
        }
        files.put_with(file.name(), content, attributes).await?;
        Ok(Published::Written)
    }

    fn page_source(&self) -> PageSource {
        let target = self.objects().target();
        PageSource::S3 { url: format!("{}/", target.public_url()), prefix: target.prefix.clone() }
    }
}
