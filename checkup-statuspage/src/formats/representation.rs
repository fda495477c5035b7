use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use sha2::{Digest, Sha256};

/// The content type of JSON.
pub(crate) const JSON: &str = "application/json";

/// Contents below this size in bytes are not compressed, since they fit into one packet.
const MIN_COMPRESSED: usize = 1024;

/// How clients cache a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// Revalidated each time, which costs only a 304.
    Revalidate,
    /// The URL always has this content.
    Immutable,
    /// Never cached.
    Never,
}

impl Cache {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Revalidate => "no-cache",
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Never => "no-store",
        }
    }
}

/// Content that is ready to be sent many times: compressed, and with its ETags, once.
#[derive(Clone, Debug)]
pub(crate) struct Representation {
    status: StatusCode,
    content_type: &'static str,
    cache: Cache,
    tag: String,
    /// At least one of the two, unless there is no content.
    plain: Option<Bytes>,
    gzip: Option<Bytes>,
    /// Whether the encoding depends on the request.
    varies: bool,
    policy: Option<HeaderValue>,
}

impl Representation {
    /// Text of a type that compresses well. Compressing a megabyte takes about 20 ms.
    pub(crate) fn new(content_type: &'static str, cache: Cache, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let mut own = Self::without_content(content_type, cache, &Self::tag_of(&content));
        own.gzip = (content.len() >= MIN_COMPRESSED).then(|| gzip(&content)).flatten();
        own.varies = own.gzip.is_some();
        own.plain = Some(content);
        own
    }

    /// The same in only one encoding, to save memory.
    pub(crate) fn in_one_encoding(
        content_type: &'static str,
        cache: Cache,
        tag: &str,
        content: impl Into<Bytes>,
        is_gzip: bool,
    ) -> Self {
        let content = content.into();
        let mut own = Self::without_content(content_type, cache, tag);
        own.gzip = (is_gzip && content.len() >= MIN_COMPRESSED).then(|| gzip(&content)).flatten();
        own.plain = own.gzip.is_none().then_some(content);
        own
    }

    /// Only the head of a response.
    pub(crate) fn without_content(content_type: &'static str, cache: Cache, tag: &str) -> Self {
        let tag = tag.to_owned();
        Self { status: StatusCode::OK, content_type, cache, tag, plain: None, gzip: None, varies: true, policy: None }
    }

    /// The tag of a content: its hash.
    pub(crate) fn tag_of(content: &Bytes) -> String {
        hex(&Sha256::digest(content)[..12])
    }

    /// The same with its content counted by `hold`. `None` if there is no room.
    pub(crate) fn held(&self, mut hold: impl FnMut(&Bytes) -> Option<Bytes>) -> Option<Self> {
        let mut held = |content: &Option<Bytes>| match content {
            Some(content) => hold(content).map(Some),
            None => Some(None),
        };
        let (plain, gzip) = (held(&self.plain)?, held(&self.gzip)?);
        Some(Self { plain, gzip, ..self.clone() })
    }

    /// The content that is sent, if it has one encoding.
    pub(crate) fn sent_content(&self) -> Bytes {
        self.gzip.clone().or_else(|| self.plain.clone()).unwrap_or_default()
    }

    /// The same with another status.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with a Content-Security-Policy.
    pub(crate) fn with_policy(mut self, policy: &str) -> Self {
        self.policy = HeaderValue::from_str(policy).ok();
        self
    }

    /// The uncompressed content.
    pub(crate) fn content(&self) -> &[u8] {
        self.plain.as_deref().unwrap_or_default()
    }

    /// The content type.
    pub(crate) fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// How clients cache the content.
    pub(crate) fn cache(&self) -> Cache {
        self.cache
    }

    /// The same with another caching.
    pub(crate) fn with_cache(mut self, cache: Cache) -> Self {
        self.cache = cache;
        self
    }

    /// The size in bytes for clients that accept compression.
    #[cfg(test)]
    pub(crate) fn compressed_size(&self) -> usize {
        self.sent_content().len()
    }

    /// The response to a request with these headers: 304 if the client has this content already, and compressed if the client accepts that.
    pub(crate) fn respond<B: From<Bytes>>(&self, request: &HeaderMap) -> Response<B> {
        let encoded = self.gzip.as_ref().filter(|_| self.plain.is_none() || accepts_gzip(request));
        let is_gzip = encoded.is_some();
        let known = self.status == StatusCode::OK && self.known(request);
        let content = encoded.or(self.plain.as_ref()).filter(|_| !known).cloned().unwrap_or_default();
        let mut response = Response::new(B::from(content));
        *response.status_mut() = if known { StatusCode::NOT_MODIFIED } else { self.status };
        let headers = response.headers_mut();
        headers.insert(ETAG, etag(&self.tag, if is_gzip { "-gz" } else { "" }));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache.as_str()));
        if self.varies {
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        if known {
            return response;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(policy) = &self.policy {
            headers.insert(http::header::CONTENT_SECURITY_POLICY, policy.clone());
            headers.insert(http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        response
    }

    /// Whether the client has the content already, in either encoding.
    pub(crate) fn known(&self, request: &HeaderMap) -> bool {
        let ours = ["", "-gz"].map(|suffix| etag(&self.tag, suffix));
        tokens(request, &IF_NONE_MATCH).any(|theirs| {
            let theirs = theirs.trim_start_matches("W/");
            theirs == "*" || ours.iter().any(|etag| etag.as_bytes() == theirs.as_bytes())
        })
    }
}

/// Whether `gzip` is named in Accept-Encoding, or else `*`, and not with a quality of zero (RFC 9110, 12.5.3).
pub(crate) fn accepts_gzip(request: &HeaderMap) -> bool {
    quality(request, &ACCEPT_ENCODING, &["gzip", "x-gzip"])
        .or_else(|| quality(request, &ACCEPT_ENCODING, &["*"]))
        .is_some_and(|quality| quality > 0.0)
}

/// Whether a media type is named in Accept, and not with a quality of zero (RFC 9110, 12.5.1). Wildcards do not name it.
pub(crate) fn accepts(request: &HeaderMap, media_type: &str) -> bool {
    quality(request, &ACCEPT, &[media_type]).is_some_and(|quality| quality > 0.0)
}

/// The greatest quality of any of these in a header: zero if it is not a number, `None` if the header has none of them.
fn quality(request: &HeaderMap, header: &HeaderName, names: &[&str]) -> Option<f32> {
    let qualities = tokens(request, header).filter_map(|token| {
        let mut parts = token.split(';').map(str::trim);
        let name = parts.next()?;
        names.iter().any(|known| known.eq_ignore_ascii_case(name)).then_some(())?;
        let given = parts.find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            key.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().unwrap_or(0.0))
        });
        Some(given.unwrap_or(1.0))
    });
    qualities.reduce(f32::max)
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn gzip(content: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(content.len() / 3), Compression::new(6));
    // Writing to memory does not fail. If it did, the content would be sent uncompressed.
    encoder.write_all(content).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < content.len()).then(|| compressed.into())
}

fn etag(hash: &str, suffix: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{hash}{suffix}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn request(headers: &[(HeaderName, &str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn get(content: &Representation, headers: &[(HeaderName, &str)]) -> Response<Bytes> {
        content.respond(&request(headers))
    }

    #[test]
    fn whoever_accepts_gzip_gets_it_and_others_do_not() {
        let text = "status ".repeat(1000);
        let content = Representation::new("text/plain", Cache::Revalidate, text.clone());
        for accept in ["gzip", "br;q=1, gzip;q=0.5", "deflate, *", "GZip; Q=1", "*;q=0, gzip"] {
            let response = get(&content, &[(ACCEPT_ENCODING, accept)]);
            assert_eq!(response.headers()[CONTENT_ENCODING], "gzip", "{accept}");
            let mut plain = String::new();
            flate2::read::GzDecoder::new(&response.body()[..]).read_to_string(&mut plain).unwrap();
            assert_eq!(plain, text);
        }
        for accept in ["br", "gzip;q=0", "gzip; q=0.0", "", "gzip;Q=0", "gzip;q=0, *", "gzip ; q = 0"] {
            let response = get(&content, &[(ACCEPT_ENCODING, accept)]);
            assert!(!response.headers().contains_key(CONTENT_ENCODING), "{accept}");
            assert_eq!(response.headers()[VARY], "accept-encoding");
            assert_eq!(response.body(), text.as_bytes());
        }
    }

    #[test]
    fn whoever_has_it_gets_a_304_without_content() {
        let content = Representation::new("text/plain", Cache::Revalidate, "status ".repeat(1000));
        let plain = get(&content, &[]).headers()[ETAG].to_str().unwrap().to_owned();
        let zipped = get(&content, &[(ACCEPT_ENCODING, "gzip")]).headers()[ETAG].to_str().unwrap().to_owned();
        assert_ne!(plain, zipped, "strong tags differ with the bytes");
        for etag in [plain.clone(), zipped, format!("\"other\", W/{plain}"), "*".to_owned()] {
            let response = get(&content, &[(IF_NONE_MATCH, &etag)]);
            assert_eq!(response.status(), 304, "{etag}");
            assert!(response.body().is_empty() && response.headers().contains_key(ETAG));
        }
        assert_eq!(get(&content, &[(IF_NONE_MATCH, "\"other\"")]).status(), 200);
        let failed = content.with_status(StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(get(&failed, &[(IF_NONE_MATCH, &plain)]).status(), 503, "a failure is sent again");
    }

    #[test]
    fn a_media_type_is_accepted_where_it_is_named_and_not_excluded() {
        let accepted = |accept: &str| accepts(&request(&[(ACCEPT, accept)]), "application/openmetrics-text");
        for accept in [
            "application/openmetrics-text",
            "text/plain;q=0.5, Application/OpenMetrics-Text;version=1.0.0;q=0.4",
            "application/openmetrics-text; version=1.0.0; q=0, application/openmetrics-text",
        ] {
            assert!(accepted(accept), "{accept}");
        }
        for accept in
            ["", "*/*", "application/openmetrics-text;q=0", "application/openmetrics-text; version=1; Q=0.000"]
        {
            assert!(!accepted(accept), "{accept}");
        }
    }

    #[test]
    fn small_content_is_not_compressed() {
        let content = Representation::new("text/plain", Cache::Never, "ok");
        let response = get(&content, &[(ACCEPT_ENCODING, "gzip")]);
        assert_eq!((response.body().as_ref(), response.headers().contains_key(VARY)), (&b"ok"[..], false));
    }
}
