//! The settings of the bucket, one step each: read, merge, and write the differences.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, IndexDocument, LifecycleRule, PublicAccessBlockConfiguration,
    TransitionDefaultMinimumObjectSize, WebsiteConfiguration,
};
use checkup_core::{Provision, ProvisionChange, ProvisionStep, StorageError};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::api::{Api, Found, PAUSES, Written, add_md5, is_early};
use super::bucket::{Bucket, State};
use super::{cors, lifecycle, policy};
use crate::action::Action;
use crate::names::name;
use crate::refusal::Refusal;
use crate::target::Target;

const READ_CORS: Action = Action::new("read the CORS rules of", "s3:GetBucketCORS");
const WRITE_CORS: Action = Action::new("set the CORS rules of", "s3:PutBucketCORS");
const READ_LIFECYCLE: Action = Action::new("read the lifecycle rules of", "s3:GetLifecycleConfiguration");
const WRITE_LIFECYCLE: Action = Action::new("set the lifecycle rules of", "s3:PutLifecycleConfiguration");
const READ_WEBSITE: Action = Action::new("read the website settings of", "s3:GetBucketWebsite");
const WRITE_WEBSITE: Action = Action::new("set the website settings of", "s3:PutBucketWebsite");
const READ_BLOCK: Action = Action::new("read the public access block of", "s3:GetBucketPublicAccessBlock");
const WRITE_BLOCK: Action = Action::new("set the public access block of", "s3:PutBucketPublicAccessBlock");
const READ_POLICY: Action = Action::new("read the policy of", "s3:GetBucketPolicy");
const WRITE_POLICY: Action = Action::new("set the policy of", "s3:PutBucketPolicy");

/// The file that a website shows for a folder.
const INDEX: &str = "index.html";

/// The steps after the bucket itself.
pub(super) struct Steps<'a> {
    api: &'a Api,
    state: State,
    request: &'a Provision,
    on_step: &'a mut (dyn FnMut(ProvisionStep) + Send),
    /// Whether this run has just removed a block of public policies.
    unblocked: bool,
    /// The first response that could not be read.
    unreadable: Option<Action>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        bucket: &'a Bucket,
        request: &'a Provision,
        on_step: &'a mut (dyn FnMut(ProvisionStep) + Send),
    ) -> Self {
        Self { api: &bucket.api, state: bucket.state, request, on_step, unblocked: false, unreadable: None }
    }

    pub(super) async fn cors(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "CORS";
        let (client, Target { bucket, prefix, .. }) = (self.api.client(), self.api.target());
        let request = client.get_bucket_cors().bucket(bucket);
        let found = self.look(&READ_CORS, "NoSuchCORSConfiguration", request.send()).await?;
        let existing = match found {
            Found::There(output) => output.cors_rules.unwrap_or_default(),
            Found::Missing => Vec::new(),
            Found::Unsupported => {
                return self
                    .unsupported(WHAT, "pages of other origins can read only if the server allows that by default");
            }
            Found::Unreadable => return self.unreadable(WHAT, READ_CORS),
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
        self.write(WHAT, change, detail, document, &WRITE_CORS, is_early, put).await
    }

    /// Sets the rule that removes check files, if one is requested and the server can distinguish them from other objects; and removes rules of
    /// earlier versions, which could not.
    pub(super) async fn lifecycle(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "lifecycle";
        let age = self.request.expire_after;
        let (client, Target { bucket, prefix, .. }) = (self.api.client(), self.api.target());
        let request = client.get_bucket_lifecycle_configuration().bucket(bucket);
        let found = match self.look(&READ_LIFECYCLE, "NoSuchLifecycleConfiguration", request.send()).await {
            // A key without permission to read the rules cannot have set one, and no rule is requested.
            Err(_) if age.is_none() => return Ok(()),
            found => found?,
        };
        let (existing, default_size) = match found {
            Found::There(output) => (output.rules.unwrap_or_default(), output.transition_default_minimum_object_size),
            Found::Missing => (Vec::new(), None),
            Found::Unsupported | Found::Unreadable if age.is_none() => return Ok(()),
            Found::Unsupported => return self.unsupported(WHAT, "set `check_expiry` instead"),
            Found::Unreadable => return self.unreadable(WHAT, READ_LIFECYCLE),
        };
        let plan = lifecycle::Plan::new(prefix, existing);
        let tag = self.api.target().tag.as_ref();
        let Some((age, tag)) = age.zip(tag) else {
            if plan.is_wide() {
                let (detail, rules) = (plan.describe_wide(), plan.others());
                self.put_lifecycle(rules, default_size.as_ref()).await?;
                return self.report(
                    WHAT,
                    ProvisionChange::Updated,
                    detail,
                    json!({"Rules": plan.others().iter().map(lifecycle::document).collect::<Vec<_>>()}),
                );
            }
            let why = "without a tag a rule cannot distinguish check files from other objects; set `tag_check_files` and run this again, or set \
                       `check_expiry` instead";
            return if age.is_some() { self.not_made(WHAT, why) } else { Ok(()) };
        };
        let days = lifecycle::days(age);
        let ours = lifecycle::rule(prefix, tag, days, true).map_err(incomplete)?;
        let detail = format!("check files in {prefix} with the tag {} are removed after {days} days", tag.1);
        if plan.has(&ours) {
            return self.unchanged(WHAT, detail);
        }
        let detail = kept(format!("{detail}{}", plan.and_wide()), plan.others().len(), "rule");
        // The rule is switched off while it is verified, since a server that ignores the tag would remove everything under the prefix.
        let probe = lifecycle::rule(prefix, tag, days, false).map_err(incomplete)?;
        if !self.put_lifecycle(plan.with(&probe), default_size.as_ref()).await? {
            return self.unsupported(WHAT, "set `check_expiry` instead");
        }
        if !self.request.dry_run && !self.keeps(&probe).await? {
            self.put_lifecycle(plan.others(), default_size.as_ref()).await?;
            return self.not_made(WHAT, "this server does not keep the tag of a rule, which would remove other objects too; set `check_expiry` instead");
        }
        self.put_lifecycle(plan.with(&ours), default_size.as_ref()).await?;
        self.report(WHAT, plan.change(), detail, json!({"Rules": [lifecycle::document(&ours)]}))
    }

    /// Replaces the rules; `false` if the server does not have any.
    async fn put_lifecycle(
        &mut self,
        rules: Vec<LifecycleRule>,
        default_size: Option<&TransitionDefaultMinimumObjectSize>,
    ) -> Result<bool, StorageError> {
        let (client, Target { bucket, .. }) = (self.api.client(), self.api.target());
        if rules.is_empty() {
            let delete = || client.delete_bucket_lifecycle().bucket(bucket).send();
            return Ok(self.put(&WRITE_LIFECYCLE, is_early, delete).await? == Written::Done);
        }
        let configuration =
            BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(incomplete)?;
        let put = || {
            let put = client.put_bucket_lifecycle_configuration().bucket(bucket);
            let put = put.set_transition_default_minimum_object_size(default_size.cloned());
            put.lifecycle_configuration(configuration.clone()).customize().mutate_request(add_md5).send()
        };
        Ok(self.put(&WRITE_LIFECYCLE, is_early, put).await? == Written::Done)
    }

    /// Whether the server has this rule as it was written, once the change has spread.
    async fn keeps(&mut self, rule: &LifecycleRule) -> Result<bool, StorageError> {
        let (client, Target { bucket, .. }) = (self.api.client(), self.api.target());
        for pause in PAUSES.map(Some).into_iter().chain([None]) {
            let look = client.get_bucket_lifecycle_configuration().bucket(bucket);
            let found = self.api.look(&READ_LIFECYCLE, "NoSuchLifecycleConfiguration", look.send()).await?;
            if let Found::There(output) = found
                && let Some(found) = output.rules().iter().find(|found| found.id() == rule.id())
            {
                return Ok(lifecycle::document(found) == lifecycle::document(rule));
            }
            if let Some(pause) = pause {
                sleep(pause).await;
            }
        }
        Ok(false)
    }

    pub(super) async fn website(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "website";
        let (client, Target { bucket, .. }) = (self.api.client(), self.api.target());
        let request = client.get_bucket_website().bucket(bucket);
        match self.look(&READ_WEBSITE, "NoSuchWebsiteConfiguration", request.send()).await? {
            Found::There(output) => {
                let index = output.index_document.map(|index| index.suffix);
                return match index.as_deref() {
                    Some(INDEX) => self.unchanged(WHAT, format!("{INDEX} is shown for a folder")),
                    _ => self.unchanged(WHAT, "another one is set, and left as it is"),
                };
            }
            Found::Missing => {}
            Found::Unsupported => return self.unsupported(WHAT, "the page is at its object's URL"),
            Found::Unreadable => return self.unreadable(WHAT, READ_WEBSITE),
        }
        let index = IndexDocument::builder().suffix(INDEX).build().map_err(incomplete)?;
        let configuration = WebsiteConfiguration::builder().index_document(index).build();
        let detail = format!("{INDEX} is shown for a folder, over http");
        let document = json!({"IndexDocument": {"Suffix": INDEX}});
        let put = || {
            let put = client.put_bucket_website().bucket(bucket).website_configuration(configuration.clone());
            put.customize().mutate_request(add_md5).send()
        };
        self.write(WHAT, ProvisionChange::Created, detail, document, &WRITE_WEBSITE, is_early, put).await
    }

    /// Removes what forbids a public policy. What forbids public ACLs stays: Checkup sets none.
    pub(super) async fn public_access(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "public access block";
        let (client, Target { bucket, .. }) = (self.api.client(), self.api.target());
        let request = client.get_public_access_block().bucket(bucket);
        let found = self.look(&READ_BLOCK, "NoSuchPublicAccessBlockConfiguration", request.send()).await?;
        let (change, acls, ignore) = match found {
            Found::There(output) => match output.public_access_block_configuration {
                Some(found) => {
                    let is_on = |setting: Option<bool>| setting == Some(true);
                    if !is_on(found.block_public_policy) && !is_on(found.restrict_public_buckets) {
                        return self.unchanged(WHAT, "a public policy is allowed");
                    }
                    (ProvisionChange::Updated, is_on(found.block_public_acls), is_on(found.ignore_public_acls))
                }
                None => return self.unreadable(WHAT, READ_BLOCK),
            },
            Found::Missing if self.state == State::There => {
                return self.unchanged(WHAT, "none is set, so a public policy is allowed");
            }
            Found::Missing => (ProvisionChange::Created, true, true),
            Found::Unsupported => return self.unsupported(WHAT, "nothing forbids a public policy"),
            Found::Unreadable => return self.unreadable(WHAT, READ_BLOCK),
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
        self.write(WHAT, change, detail, document, &WRITE_BLOCK, is_early, put).await?;
        self.unblocked = true;
        Ok(())
    }

    pub(super) async fn policy(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "bucket policy";
        let (client, Target { bucket, prefix, page_prefix, .. }) = (self.api.client(), self.api.target());
        let request = client.get_bucket_policy().bucket(bucket);
        let existing = match self.look(&READ_POLICY, "NoSuchBucketPolicy", request.send()).await? {
            Found::There(output) => output.policy,
            Found::Missing => None,
            Found::Unsupported => return Err(self.no_policies()),
            Found::Unreadable => return Err(self.api.strange(&READ_POLICY)),
        };
        let page = self.request.page || self.request.website;
        let scope =
            policy::Scope { bucket, region: self.api.region(), prefix, page_prefix: page_prefix.as_deref(), page };
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
        let passes = |refusal: &Refusal| is_early(refusal) || unblocked && refusal.is_denied();
        if self.put(&WRITE_POLICY, passes, put).await? == Written::Unsupported {
            return Err(self.no_policies());
        }
        self.report(WHAT, change, detail, merged.document)
    }

    async fn look<T, E>(
        &mut self,
        call: &Action,
        missing: &str,
        request: impl Future<Output = Result<T, E>>,
    ) -> Result<Found<T>, StorageError> {
        // A bucket that does not exist has no settings.
        if self.state == State::Missing { Ok(Found::Missing) } else { self.api.look(call, missing, request).await }
    }

    #[allow(clippy::too_many_arguments, reason = "what is written, and how it is reported")]
    async fn write<T, E, F: Future<Output = Result<T, E>>>(
        &mut self,
        what: &str,
        change: ProvisionChange,
        detail: String,
        document: Value,
        call: &Action,
        passes: impl Fn(&Refusal) -> bool,
        request: impl FnMut() -> F,
    ) -> Result<(), StorageError> {
        match self.put(call, passes, request).await? {
            Written::Done => self.report(what, change, detail, document),
            Written::Unsupported => self.unsupported(what, "it cannot be set"),
        }
    }

    async fn put<T, E, F: Future<Output = Result<T, E>>>(
        &mut self,
        call: &Action,
        passes: impl Fn(&Refusal) -> bool,
        request: impl FnMut() -> F,
    ) -> Result<Written, StorageError> {
        if self.request.dry_run { Ok(Written::Done) } else { self.api.write(call, passes, request).await }
    }

    fn report(
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
        (self.on_step)(ProvisionStep::new(what, change, detail).document(format!("{document:#}")));
        Ok(())
    }

    fn unchanged(&mut self, what: &str, detail: impl Into<String>) -> Result<(), StorageError> {
        (self.on_step)(ProvisionStep::new(what, ProvisionChange::Unchanged, detail));
        Ok(())
    }

    fn unsupported(&mut self, what: &str, consequence: &str) -> Result<(), StorageError> {
        self.not_made(what, &format!("this server does not have it; {consequence}"))
    }

    fn not_made(&mut self, what: &str, detail: &str) -> Result<(), StorageError> {
        (self.on_step)(ProvisionStep::new(what, ProvisionChange::Unsupported, detail));
        Ok(())
    }

    /// Leaves a setting unchanged, and reports that as an error of the whole run.
    fn unreadable(&mut self, what: &str, action: Action) -> Result<(), StorageError> {
        self.unreadable.get_or_insert(action);
        self.unchanged(what, "the server's answer cannot be read, so this is left as it is")
    }

    /// Reports an unreadable response after all other steps.
    pub(super) fn finish(self) -> Result<(), StorageError> {
        self.unreadable.map_or(Ok(()), |action| Err(self.api.strange(&action)))
    }

    fn no_policies(&self) -> StorageError {
        let Target { prefix, .. } = self.api.target();
        let place = if prefix.is_empty() { "the bucket".to_owned() } else { format!("{prefix} in the bucket") };
        StorageError::new(format!(
            "cannot set the policy of {}: this server does not have bucket policies; make {place} public with the server's own tools, \
             or serve the page with `checkup serve`",
            self.api.target().describe()
        ))
    }
}

/// A setting that did not exist is created.
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
