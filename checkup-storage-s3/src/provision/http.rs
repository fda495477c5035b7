//! The SDK's requests over the HTTP client of the storage, so that names, TLS, timeouts and errors are the same.

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

/// The longest answer that is read. A policy has at most 20 kB, the other documents a hundred or a thousand small rules.
const MAX_ANSWER: usize = 4 << 20;

/// An HTTP client for the SDK.
#[derive(Clone, Debug)]
pub(super) struct Http(pub(super) Client);

impl HttpClient for Http {
    // The client has timeouts of its own.
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
    let request = http::Request::from_parts(parts, Bytes::copy_from_slice(content).into());
    let response = client.execute(request).await.map_err(|error| ConnectorError::io(error.into()))?;
    let (parts, body) = response.into_parts();
    let content = Limited::new(body, MAX_ANSWER).collect().await.map_err(ConnectorError::io)?.to_bytes();
    let response = http::Response::from_parts(parts, SdkBody::from(content));
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}
