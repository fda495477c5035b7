//! What is set on the bucket, a step each: look, merge, and write what differs.

use std::time::Duration;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, IndexDocument, PublicAccessBlockConfiguration, WebsiteConfiguration,
};
use checkup_core::{Provision, ProvisionChange, ProvisionStep, StorageError};
use serde_json::{Value, json};

use super::api::{Api, Call, Found, Written, add_md5, is_denied, is_early};
use super::bucket::{Bucket, State};
use super::names::name;
use super::{cors, lifecycle, policy};
use crate::refusal::Refusal;
use crate::target::Target;

const READ_CORS: Call = Call { action: "read the CORS rules of", permission: "s3:GetBucketCORS" };
const WRITE_CORS: Call = Call { action: "set the CORS rules of", permission: "s3:PutBucketCORS" };
const READ_LIFECYCLE: Call = Call { action: "read the lifecycle rules of", permission: "s3:GetLifecycleConfiguration" };
const WRITE_LIFECYCLE: Call = Call { action: "set the lifecycle rules of", permission: "s3:PutLifecycleConfiguration" };
const READ_WEBSITE: Call = Call { action: "read the website settings of", permission: "s3:GetBucketWebsite" };
const WRITE_WEBSITE: Call = Call { action: "set the website settings of", permission: "s3:PutBucketWebsite" };
const READ_BLOCK: Call =
    Call { action: "read the public access block of", permission: "s3:GetBucketPublicAccessBlock" };
const WRITE_BLOCK: Call =
    Call { action: "set the public access block of", permission: "s3:PutBucketPublicAccessBlock" };
const READ_POLICY: Call = Call { action: "read the policy of", permission: "s3:GetBucketPolicy" };
const WRITE_POLICY: Call = Call { action: "set the policy of", permission: "s3:PutBucketPolicy" };

/// What a website shows of a folder.
const INDEX: &str = "index.html";

/// The steps after the bucket itself.
pub(super) struct Steps<'a> {
    api: &'a Api,
    state: State,
    request: &'a Provision,
    tell: &'a mut (dyn FnMut(ProvisionStep) + Send),
    /// Whether a block of public policies was just taken away.
    unblocked: bool,
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        bucket: &'a Bucket,
        request: &'a Provision,
        tell: &'a mut (dyn FnMut(ProvisionStep) + Send),
    ) -> Self {
        Self { api: &bucket.api, state: bucket.state, request, tell, unblocked: false }
    }

    pub(super) async fn cors(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "CORS";
        let (client, Target { bucket, prefix, .. }) = (self.api.client(), self.api.target());
        let request = client.get_bucket_cors().bucket(bucket);
        let found = self.look(READ_CORS, "NoSuchCORSConfiguration", request.send()).await?;
        let existing = match found {
            Found::There(output) => output.cors_rules.unwrap_or_default(),
            Found::Missing => Vec::new(),
            Found::Unsupported => return self.unsupported(WHAT, "pages can read only if it lets them by itself"),
        };
        let ours = cors::rule(&name("CheckupRead", prefix), &self.request.cors_origins).map_err(incomplete)?;
        let detail = format!("pages of {} may read", ours.allowed_origins().join(", "));
        let change = made_or_changed(&existing);
        let Some(rules) = cors::merge(existing, &ours) else { return self.unchanged(WHAT, detail) };
        let detail = kept(detail, rules.len() - 1, "rule");
        let document = json!({"CORSRules": [cors::document(&ours)]});
        let configuration = cors::configuration(rules).map_err(incomplete)?;
        let put = || {
            let put = client.put_bucket_cors().bucket(bucket).cors_configuration(configuration.clone());
            put.customize().mutate_request(add_md5).send()
        };
        self.write(WHAT, change, detail, document, WRITE_CORS, is_early, put).await
    }

    pub(super) async fn lifecycle(&mut self, age: Duration) -> Result<(), StorageError> {
        const WHAT: &str = "lifecycle";
        let (client, Target { bucket, prefix, .. }) = (self.api.client(), self.api.target());
        let request = client.get_bucket_lifecycle_configuration().bucket(bucket);
        let found = self.look(READ_LIFECYCLE, "NoSuchLifecycleConfiguration", request.send()).await?;
        let (existing, default_size) = match found {
            Found::There(output) => (output.rules.unwrap_or_default(), output.transition_default_minimum_object_size),
            Found::Missing => (Vec::new(), None),
            Found::Unsupported => return self.unsupported(WHAT, "set `check_expiry`, for Checkup to do it"),
        };
        let days = lifecycle::days(age);
        let ours = lifecycle::rules(prefix, days).map_err(incomplete)?;
        let detail = format!("check files in {prefix} are removed after {days} days, incomplete uploads after 1");
        let change = made_or_changed(&existing);
        let Some(rules) = lifecycle::merge(existing, &ours) else { return self.unchanged(WHAT, detail) };
        let detail = kept(detail, rules.len() - ours.len(), "rule");
        let document = json!({"Rules": ours.iter().map(lifecycle::document).collect::<Vec<_>>()});
        let configuration =
            BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(incomplete)?;
        let put = || {
            let put = client.put_bucket_lifecycle_configuration().bucket(bucket);
            let put = put.set_transition_default_minimum_object_size(default_size.clone());
            put.lifecycle_configuration(configuration.clone()).customize().mutate_request(add_md5).send()
        };
        self.write(WHAT, change, detail, document, WRITE_LIFECYCLE, is_early, put).await
    }

    pub(super) async fn website(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "website";
        let (client, Target { bucket, .. }) = (self.api.client(), self.api.target());
        let request = client.get_bucket_website().bucket(bucket);
        match self.look(READ_WEBSITE, "NoSuchWebsiteConfiguration", request.send()).await? {
            Found::There(output) => {
                let index = output.index_document.map(|index| index.suffix);
                return match index.as_deref() {
                    Some(INDEX) => self.unchanged(WHAT, format!("{INDEX} is what a folder shows")),
                    _ => self.unchanged(WHAT, "there is one with other settings, which are left as they are"),
                };
            }
            Found::Missing => {}
            Found::Unsupported => return self.unsupported(WHAT, "the page is at its object's URL"),
        }
        let index = IndexDocument::builder().suffix(INDEX).build().map_err(incomplete)?;
        let configuration = WebsiteConfiguration::builder().index_document(index).build();
        let detail = format!("{INDEX} is what a folder shows, over http");
        let document = json!({"IndexDocument": {"Suffix": INDEX}});
        let put = || {
            let put = client.put_bucket_website().bucket(bucket).website_configuration(configuration.clone());
            put.customize().mutate_request(add_md5).send()
        };
        self.write(WHAT, ProvisionChange::Created, detail, document, WRITE_WEBSITE, is_early, put).await
    }

    /// Takes away what forbids a public policy. What forbids public ACLs stays: there are none.
    pub(super) async fn public_access(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "public access block";
        let (client, Target { bucket, .. }) = (self.api.client(), self.api.target());
        let request = client.get_public_access_block().bucket(bucket);
        let found = self.look(READ_BLOCK, "NoSuchPublicAccessBlockConfiguration", request.send()).await?;
        let (change, acls, ignore) = match found {
            Found::There(output) => match output.public_access_block_configuration {
                Some(found) => {
                    let is_on = |setting: Option<bool>| setting == Some(true);
                    if !is_on(found.block_public_policy) && !is_on(found.restrict_public_buckets) {
                        return self.unchanged(WHAT, "a public policy is allowed");
                    }
                    (ProvisionChange::Updated, is_on(found.block_public_acls), is_on(found.ignore_public_acls))
                }
                // The server has answered another question.
                None => return self.unsupported(WHAT, "nothing forbids a public policy"),
            },
            Found::Missing if self.state == State::There => {
                return self.unchanged(WHAT, "there is none, so that a public policy is allowed");
            }
            Found::Missing => (ProvisionChange::Created, true, true),
            Found::Unsupported => return self.unsupported(WHAT, "nothing forbids a public policy"),
        };
        let configuration = PublicAccessBlockConfiguration::builder()
            .block_public_acls(acls)
            .ignore_public_acls(ignore)
            .block_public_policy(false)
            .restrict_public_buckets(false)
            .build();
        let document = json!({
            "BlockPublicAcls": acls,
            "IgnorePublicAcls": ignore,
            "BlockPublicPolicy": false,
            "RestrictPublicBuckets": false,
        });
        let put = || {
            let put = client.put_public_access_block().bucket(bucket);
            let put = put.public_access_block_configuration(configuration.clone());
            put.customize().mutate_request(add_md5).send()
        };
        let stay = if acls || ignore { "; what is set against public ACLs stays" } else { "" };
        let detail = format!("a public policy is allowed{stay}");
        self.write(WHAT, change, detail, document, WRITE_BLOCK, is_early, put).await?;
        self.unblocked = true;
        Ok(())
    }

    pub(super) async fn policy(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "bucket policy";
        let (client, Target { bucket, prefix, .. }) = (self.api.client(), self.api.target());
        let request = client.get_bucket_policy().bucket(bucket);
        let existing = match self.look(READ_POLICY, "NoSuchBucketPolicy", request.send()).await? {
            Found::There(output) => output.policy,
            Found::Missing => None,
            Found::Unsupported => return Err(self.no_policies()),
        };
        let page = self.request.page || self.request.website;
        let scope = policy::Scope { bucket, region: self.api.region(), prefix, page };
        let merged = policy::merge(existing.as_deref(), scope).map_err(|why| {
            StorageError::new(format!("cannot add to the policy of {}: {why}", self.api.target().describe()))
        })?;
        let detail = scope.describe();
        if !merged.changed {
            return self.unchanged(WHAT, detail);
        }
        let change = if existing.is_some() { ProvisionChange::Updated } else { ProvisionChange::Created };
        let (detail, text) = (kept(detail, merged.others, "statement"), merged.document.to_string());
        let put = || {
            let put = client.put_bucket_policy().bucket(bucket).policy(&text);
            put.customize().mutate_request(add_md5).send()
        };
        let unblocked = self.unblocked;
        let passes = |refusal: &Refusal| is_early(refusal) || unblocked && is_denied(refusal);
        if self.put(WRITE_POLICY, passes, put).await? == Written::Unsupported {
            return Err(self.no_policies());
        }
        self.told(WHAT, change, detail, merged.document)
    }

    async fn look<T, E>(
        &mut self,
        call: Call,
        missing: &str,
        request: impl Future<Output = Result<T, E>>,
    ) -> Result<Found<T>, StorageError> {
        // Of a bucket that there is not, nothing is there.
        if self.state == State::Missing { Ok(Found::Missing) } else { self.api.look(call, missing, request).await }
    }

    #[allow(clippy::too_many_arguments, reason = "what is written, and what is told of it")]
    async fn write<T, E, F: Future<Output = Result<T, E>>>(
        &mut self,
        what: &str,
        change: ProvisionChange,
        detail: String,
        document: Value,
        call: Call,
        passes: impl Fn(&Refusal) -> bool,
        request: impl FnMut() -> F,
    ) -> Result<(), StorageError> {
        match self.put(call, passes, request).await? {
            Written::Done => self.told(what, change, detail, document),
            Written::Unsupported => self.unsupported(what, "it cannot be set"),
        }
    }

    async fn put<T, E, F: Future<Output = Result<T, E>>>(
        &mut self,
        call: Call,
        passes: impl Fn(&Refusal) -> bool,
        request: impl FnMut() -> F,
    ) -> Result<Written, StorageError> {
        if self.request.dry_run { Ok(Written::Done) } else { self.api.write(call, passes, request).await }
    }

    fn told(
        &mut self,
        what: &str,
        change: ProvisionChange,
        detail: String,
        document: Value,
    ) -> Result<(), StorageError> {
        let change = match change {
            ProvisionChange::Created if self.request.dry_run => ProvisionChange::WouldCreate,
            ProvisionChange::Updated if self.request.dry_run => ProvisionChange::WouldUpdate,
            change => change,
        };
        (self.tell)(ProvisionStep::new(what, change, detail).document(format!("{document:#}")));
        Ok(())
    }

    fn unchanged(&mut self, what: &str, detail: impl Into<String>) -> Result<(), StorageError> {
        (self.tell)(ProvisionStep::new(what, ProvisionChange::Unchanged, detail));
        Ok(())
    }

    fn unsupported(&mut self, what: &str, consequence: &str) -> Result<(), StorageError> {
        let detail = format!("this server does not have it; {consequence}");
        (self.tell)(ProvisionStep::new(what, ProvisionChange::Unsupported, detail));
        Ok(())
    }

    fn no_policies(&self) -> StorageError {
        let Target { prefix, .. } = self.api.target();
        let place = if prefix.is_empty() { "the bucket".to_owned() } else { format!("{prefix} in the bucket") };
        StorageError::new(format!(
            "cannot set the policy of {}: this server does not have bucket policies; let anyone read {place} by its own means, \
             or serve the page with `checkup serve`",
            self.api.target().describe()
        ))
    }
}

/// A setting that is not there before is created.
fn made_or_changed<T>(existing: &[T]) -> ProvisionChange {
    if existing.is_empty() { ProvisionChange::Created } else { ProvisionChange::Updated }
}

fn kept(detail: String, others: usize, what: &str) -> String {
    match others {
        0 => detail,
        1 => format!("{detail}; another {what} is kept"),
        others => format!("{detail}; {others} other {what}s are kept"),
    }
}

fn incomplete(error: BuildError) -> StorageError {
    StorageError::new("cannot write what the bucket needs").with_source(error)
}
