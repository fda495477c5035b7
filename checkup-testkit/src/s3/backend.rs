//! Buckets in memory, in the order of their keys.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use checkup_core::async_trait;
use futures::{TryStreamExt, stream};
use s3s::dto::{
    CommonPrefix, CreateBucketInput, CreateBucketOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, DeletedObject, ETag, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
    PutObjectInput, PutObjectOutput, StreamingBlob, Timestamp,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::faults::Faults;
use super::{S3Object, S3Requests};

/// The maximum number of keys in a page of a listing.
const PAGE: usize = 1000;

/// The largest object, in bytes.
const MAX_BYTES: usize = 1 << 30;

type Bucket = BTreeMap<String, Stored>;

#[derive(Clone)]
pub(super) struct Backend {
    buckets: Arc<Mutex<BTreeMap<String, Bucket>>>,
    faults: Arc<Mutex<Faults>>,
    requests: Arc<Mutex<S3Requests>>,
}

#[derive(Clone)]
struct Stored {
    object: Arc<S3Object>,
    e_tag: ETag,
    at: SystemTime,
}

impl Backend {
    pub(super) fn new(faults: Arc<Mutex<Faults>>, requests: Arc<Mutex<S3Requests>>) -> Self {
        Self { buckets: Arc::default(), faults, requests }
    }

    pub(super) fn create(&self, bucket: &str) {
        self.buckets().entry(bucket.to_owned()).or_default();
    }

    pub(super) fn keys(&self, bucket: &str) -> Vec<String> {
        self.buckets().get(bucket).map(|bucket| bucket.keys().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> Option<S3Object> {
        self.buckets().get(bucket)?.get(key).map(|stored| stored.object.as_ref().clone())
    }

    pub(super) fn put(&self, bucket: &str, key: &str, object: S3Object) {
        self.buckets().entry(bucket.to_owned()).or_default().insert(key.to_owned(), Stored::new(object));
    }

    pub(super) fn remove(&self, bucket: &str, key: &str) {
        if let Some(bucket) = self.buckets().get_mut(bucket) {
            bucket.remove(key);
        }
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        // Each change is one call on a map, so none is half done.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in a bucket, if it exists.
    fn in_bucket<T>(&self, bucket: &str, work: impl FnOnce(&mut Bucket) -> S3Result<T>) -> S3Result<T> {
        match self.buckets().get_mut(bucket) {
            Some(bucket) => work(bucket),
            None => Err(s3_error!(NoSuchBucket, "The specified bucket does not exist")),
        }
    }

    fn stored(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        self.in_bucket(bucket, |bucket| match bucket.get(key) {
            Some(stored) => Ok(stored.clone()),
            None => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
        })
    }
}

impl Stored {
    fn new(object: S3Object) -> Self {
        // Any text works that differs when the content does.
        let e_tag = ETag::Strong(format!("{:016x}-{}", fingerprint(&object.content), object.content.len()));
        Self { object: Arc::new(object), e_tag, at: SystemTime::now() }
    }

    fn len(&self) -> i64 {
        i64::try_from(self.object.content.len()).unwrap_or(i64::MAX)
    }
}

#[async_trait]
impl S3 for Backend {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        self.create(&req.input.bucket);
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.in_bucket(&req.input.bucket, |_| Ok(S3Response::new(HeadBucketOutput::default())))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let PutObjectInput {
            bucket,
            key,
            body,
            content_type,
            content_encoding,
            cache_control,
            storage_class,
            tagging,
            if_none_match,
            ..
        } = req.input;
        let mut content = Vec::new();
        if let Some(mut body) = body {
            while let Some(part) = body.try_next().await.map_err(|_| s3_error!(IncompleteBody))? {
                content.extend_from_slice(&part);
                if content.len() > MAX_BYTES {
                    return Err(s3_error!(EntityTooLarge));
                }
            }
        }
        let ignores = {
            let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
            faults.ignore_put_conditions || faults.dialect.ignores_put_conditions()
        };
        let stored = Stored::new(S3Object {
            content,
            content_type,
            content_encoding,
            cache_control,
            storage_class: storage_class.map(|class| class.as_str().to_owned()),
            tagging,
        });
        self.in_bucket(&bucket, |bucket| {
            if if_none_match.is_some() && !ignores && bucket.contains_key(&key) {
                return Err(s3_error!(
                    PreconditionFailed,
                    "At least one of the pre-conditions you specified did not hold"
                ));
            }
            let e_tag = Some(stored.e_tag.clone());
            bucket.insert(key, stored);
            Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
        })
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let stored = self.stored(&req.input.bucket, &req.input.key)?;
        let (length, content) = (stored.len(), &stored.object.content);
        let range = match req.input.range {
            Some(range) => Some(range.check(content.len() as u64)?),
            None => None,
        };
        let part = match &range {
            Some(range) => content[range.start as usize..range.end as usize].to_vec(),
            None => content.clone(),
        };
        let content_range = range.map(|range| format!("bytes {}-{}/{length}", range.start, range.end - 1));
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(part.len()).ok(),
            content_range,
            body: Some(StreamingBlob::wrap(stream::iter([Ok::<_, std::io::Error>(part.into())]))),
            content_type: stored.object.content_type.clone(),
            content_encoding: stored.object.content_encoding.clone(),
            cache_control: stored.object.cache_control.clone(),
            e_tag: Some(stored.e_tag),
            last_modified: Some(Timestamp::from(stored.at)),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let stored = self.stored(&req.input.bucket, &req.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(stored.len()),
            content_type: stored.object.content_type.clone(),
            content_encoding: stored.object.content_encoding.clone(),
            cache_control: stored.object.cache_control.clone(),
            e_tag: Some(stored.e_tag),
            last_modified: Some(Timestamp::from(stored.at)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.in_bucket(&req.input.bucket, |bucket| {
            bucket.remove(&req.input.key);
            Ok(S3Response::new(DeleteObjectOutput::default()))
        })
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let objects = req.input.delete.objects;
        if objects.len() > PAGE {
            return Err(s3_error!(MalformedXML, "At most 1000 objects are deleted at once"));
        }
        self.in_bucket(&req.input.bucket, |bucket| {
            let mut deleted = Vec::new();
            for object in objects {
                bucket.remove(&object.key);
                deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() });
            }
            Ok(S3Response::new(DeleteObjectsOutput { deleted: Some(deleted), ..DeleteObjectsOutput::default() }))
        })
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let ListObjectsV2Input { bucket, prefix, delimiter, start_after, continuation_token, max_keys, .. } = req.input;
        let limit = max_keys.map_or(PAGE, |keys| usize::try_from(keys).unwrap_or_default().min(PAGE));
        let after = continuation_token.as_deref().or(start_after.as_deref()).unwrap_or_default();
        let listed = self.in_bucket(&bucket, |bucket| {
            Ok(list(bucket, prefix.as_deref().unwrap_or_default(), delimiter.as_deref(), after, limit))
        })?;
        let count = listed.contents.len() + listed.prefixes.len();
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).listed_keys += count;
        let prefixes = listed.prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(bucket),
            key_count: i32::try_from(count).ok(),
            max_keys: i32::try_from(limit).ok(),
            is_truncated: Some(listed.next.is_some()),
            next_continuation_token: listed.next,
            contents: Some(listed.contents),
            common_prefixes: Some(prefixes),
            prefix,
            delimiter,
            continuation_token,
            start_after,
            ..ListObjectsV2Output::default()
        }))
    }
}

/// A page of a listing.
#[derive(Default)]
struct Page {
    contents: Vec<Object>,
    prefixes: Vec<String>,
    /// The key after which the next page begins.
    next: Option<String>,
}

fn list(bucket: &Bucket, prefix: &str, delimiter: Option<&str>, after: &str, limit: usize) -> Page {
    let mut page = Page::default();
    let mut last = after.to_owned();
    loop {
        let from = match last.as_str() < prefix {
            true => Bound::Included(prefix),
            false => Bound::Excluded(last.as_str()),
        };
        let next = bucket.range::<str, _>((from, Bound::Unbounded)).next();
        let Some((key, stored)) = next.filter(|(key, _)| key.starts_with(prefix)) else { return page };
        if page.contents.len() + page.prefixes.len() == limit {
            page.next = (limit > 0).then_some(last);
            return page;
        }
        let rest = &key[prefix.len()..];
        match delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len())) {
            Some(end) => {
                let common = key[..prefix.len() + end].to_owned();
                // This comes after every key with this prefix.
                last = format!("{common}\u{10ffff}");
                if common.as_str() > after {
                    page.prefixes.push(common);
                }
            }
            None => {
                page.contents.push(Object {
                    key: Some(key.clone()),
                    size: Some(stored.len()),
                    e_tag: Some(stored.e_tag.clone()),
                    last_modified: Some(Timestamp::from(stored.at)),
                    storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                    ..Object::default()
                });
                last.clone_from(key);
            }
        }
    }
}

/// FNV-1a.
fn fingerprint(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(keys: &[&str]) -> Bucket {
        keys.iter().map(|key| ((*key).to_owned(), Stored::new(S3Object::default()))).collect()
    }

    fn pages(bucket: &Bucket, prefix: &str, after: &str, limit: usize) -> Vec<(Vec<String>, Vec<String>)> {
        let (mut pages, mut after) = (Vec::new(), after.to_owned());
        loop {
            let page = list(bucket, prefix, Some("/"), &after, limit);
            pages.push((page.contents.into_iter().filter_map(|object| object.key).collect(), page.prefixes));
            match page.next {
                Some(next) => after = next,
                None => return pages,
            }
        }
    }

    #[test]
    fn a_listing_is_flat_in_order_and_in_pages() {
        let bucket = bucket(&["a", "b/1", "b/2", "b/c/3", "d", "e/1", "f"]);
        let owned = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(pages(&bucket, "", "", 10), [(owned(&["a", "d", "f"]), owned(&["b/", "e/"]))]);
        assert_eq!(
            pages(&bucket, "", "", 2),
            [(owned(&["a"]), owned(&["b/"])), (owned(&["d"]), owned(&["e/"])), (owned(&["f"]), vec![])]
        );
        assert_eq!(pages(&bucket, "b/", "", 10), [(owned(&["b/1", "b/2"]), owned(&["b/c/"]))]);
        assert_eq!(pages(&bucket, "b/", "b/1", 10), [(owned(&["b/2"]), owned(&["b/c/"]))]);
        assert_eq!(pages(&bucket, "", "d", 10), [(owned(&["f"]), owned(&["e/"]))]);
        assert_eq!(pages(&bucket, "x", "", 10), [(vec![], vec![])]);
    }
}
