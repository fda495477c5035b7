//! Sends the SDK's requests through the storage's HTTP client, so that names, TLS, timeouts and errors are the same; and turns
//! answers that the SDK cannot read into Amazon's.

use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::config::{HttpClient, RuntimeComponents};
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use object_store::client::HttpClient as Client;

use crate::document;
use crate::refusal::Refusal;
use crate::wire::{Answer, note};

/// The longest answer that is read. A policy has at most 20 kB, the other documents up to a thousand small rules.
const MAX_ANSWER: usize = 4 << 20;

/// The code of a refusal for a setting of the bucket that is not set.
pub(super) const NOTHING_SET: &str = "NoSuchConfiguration";

/// An HTTP client for the SDK.
#[derive(Clone, Debug)]
pub(super) struct Http(pub(super) Client);

impl HttpClient for Http {
    // The client has its own timeouts.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&client, request).await })
    }
}

async fn exchange(client: &Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let content = body.bytes().ok_or_else(|| ConnectorError::user("a body that is a stream".into()))?;
    let is_look = parts.method == http::Method::GET;
    let is_listing = parts.uri.query().is_some_and(|query| query.contains("list-type="));
    let request = http::Request::from_parts(parts, Bytes::copy_from_slice(content).into());
    let response = client.execute(request).await.map_err(|error| ConnectorError::io(error.into()))?;
    let (mut parts, body) = response.into_parts();
    let mut content = Limited::new(body, MAX_ANSWER).collect().await.map_err(ConnectorError::io)?.to_bytes();
    if is_look && !is_listing && parts.status.is_success() {
        content = translate(&mut parts, content);
    }
    let response = http::Response::from_parts(parts, SdkBody::from(content));
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// Translates the response to reading a setting of the bucket into Amazon's form.
fn translate(parts: &mut http::response::Parts, content: Bytes) -> Bytes {
    let refusal = |status: u16, code: &str| Refusal { status, code: code.to_owned(), ..Refusal::default() };
    let refusal = match document::root(&content).as_deref() {
        // Garage reports an unset setting with 204 or 200 and an empty body.
        None if content.trim_ascii().is_empty() => refusal(404, NOTHING_SET),
        // A server that does not know the setting answers as if the request were for the bucket.
        Some("ListBucketResult" | "ListAllMyBucketsResult") => refusal(501, "NotImplemented"),
        // Ceph's name for it; older versions write its values in capitals.
        Some("BlockPublicAccessBlockConfiguration") => {
            parts.headers.remove(http::header::CONTENT_LENGTH);
            let text = String::from_utf8_lossy(&content).replace("BlockPublicAccessBlock", "PublicAccessBlock");
            return text.replace(">TRUE<", ">true<").replace(">FALSE<", ">false<").into();
        }
        _ => return content,
    };
    // This status never causes a retry.
    parts.status = http::StatusCode::NOT_FOUND;
    parts.headers.remove(http::header::CONTENT_LENGTH);
    note(Some(Answer::Refused(refusal)));
    Bytes::from_static(b"<Error><Code>NoSuchConfiguration</Code></Error>")
}
