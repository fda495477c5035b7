//! Provisioning: against moto's server, which knows policies, CORS and public access blocks (`.ci/provision` starts it), and
//! against test servers that refuse or lack what is asked of them.

#![allow(clippy::unwrap_used, reason = "a helper that cannot help is a failed test")]

mod dialects;
mod lifecycle;
#[cfg(feature = "moto-tests")]
mod moto;
mod refusals;

#[cfg(feature = "moto-tests")]
mod bucket;
#[cfg(feature = "moto-tests")]
mod others;
#[cfg(feature = "moto-tests")]
mod public;

use checkup_core::{IntoStorage, Provision, ProvisionChange, ProvisionStep, StorageError};
use checkup_storage_s3::S3;

/// The access key's secret in all these tests, which must not be shown anywhere.
const SECRET: &str = "never-to-be-shown";

fn settings(endpoint: &str, bucket: &str) -> S3 {
    S3::new(bucket).endpoint(endpoint).region("eu-west-1").access_key("AKIDTEST", SECRET).prefix("checks")
}

/// Provisions, and returns the reported steps and the result.
async fn try_provision(settings: S3, request: Provision) -> (Vec<ProvisionStep>, Result<(), StorageError>) {
    let storage = settings.into_storage().unwrap();
    let mut steps = Vec::new();
    let result = storage.provisioner().unwrap().provision(&request, &mut |step| steps.push(step)).await;
    let shown = format!("{steps:?} {result:?} {storage:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    (steps, result)
}

#[cfg_attr(not(feature = "moto-tests"), allow(dead_code, reason = "for the tests with moto"))]
async fn provision(settings: S3, request: Provision) -> Vec<ProvisionStep> {
    let (steps, result) = try_provision(settings, request).await;
    result.unwrap();
    steps
}

/// The subject of each step, and its outcome.
fn changes(steps: &[ProvisionStep]) -> Vec<(&str, ProvisionChange)> {
    steps.iter().map(|step| (step.what.as_str(), step.change)).collect()
}

/// The message of an error, followed by those of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
