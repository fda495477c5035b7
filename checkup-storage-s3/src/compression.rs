//! Compression at rest: object storage sends objects as they are stored, and browsers decompress them.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use object_store::{Attribute, Attributes};
use tokio::task::spawn_blocking;

/// The `Content-Encoding`.
pub(crate) const ENCODING: &str = "gzip";

/// Content smaller than this is not worth compressing.
const MIN_BYTES: usize = 1024;

/// Compresses content, with attributes that say so. Returns it unchanged if that does not make it smaller.
pub(crate) async fn compress(content: &[u8], attributes: Attributes) -> (Bytes, Attributes) {
    let content = Bytes::copy_from_slice(content);
    if content.len() < MIN_BYTES {
        return (content, attributes);
    }
    let plain = content.clone();
    let compressed = spawn_blocking(move || {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&plain)?;
        encoder.finish()
    });
    match compressed.await {
        Ok(Ok(compressed)) if compressed.len() < content.len() => {
            let mut attributes = attributes;
            attributes.insert(Attribute::ContentEncoding, ENCODING.into());
            (compressed.into(), attributes)
        }
        _ => (content, attributes),
    }
}

/// Decompresses content. Returns `None` if it is longer than `limit` bytes.
pub(crate) async fn decompress(content: Bytes, limit: u64) -> io::Result<Option<Bytes>> {
    let decompressed = spawn_blocking(move || {
        let mut plain = Vec::new();
        GzDecoder::new(&content[..]).take(limit + 1).read_to_end(&mut plain)?;
        Ok((plain.len() as u64 <= limit).then(|| plain.into()))
    });
    decompressed.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn content_survives_compression_up_to_the_limit() {
        let content = "status ".repeat(1000);
        let (compressed, attributes) = compress(content.as_bytes(), Attributes::new()).await;
        assert!(compressed.len() < 200, "{} bytes", compressed.len());
        assert_eq!(attributes.get(&Attribute::ContentEncoding).map(AsRef::as_ref), Some(ENCODING));
        assert_eq!(decompress(compressed.clone(), 7000).await.unwrap().unwrap(), content);
        assert_eq!(decompress(compressed.clone(), 6999).await.unwrap(), None);
        assert!(decompress(compressed.slice(..50), 7000).await.is_err());
        assert!(decompress(Bytes::from_static(b"status"), 7000).await.is_err());
    }

    #[tokio::test]
    async fn small_and_incompressible_content_is_unchanged() {
        let noise: Vec<u8> = (0..4096_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
        let (compressed, _) = compress(&noise, Attributes::new()).await;
        for content in [&b"status"[..], &compressed] {
            let (stored, attributes) = compress(content, Attributes::new()).await;
            assert_eq!((stored, attributes.len()), (Bytes::copy_from_slice(content), 0));
        }
    }
}
