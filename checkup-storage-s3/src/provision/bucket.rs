//! The bucket itself.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use checkup_core::{Provision, ProvisionChange, ProvisionStep, StorageError};

use super::api::{Api, Reply};
use crate::action::Action;
use crate::refusal::Refusal;
use crate::target::Target;

/// The region of a new bucket if none is set: that of the original Checkup, and the only one that S3 has no name for.
const DEFAULT_REGION: &str = "us-east-1";

const LOOK: Action = Action::new("look into", "s3:ListBucket");
const CREATE: Action = Action::new("create", "s3:CreateBucket");

/// A bucket that exists, or that would be created.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) api: Api,
    pub(super) state: State,
}

/// Whether the bucket exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It existed before.
    There,
    /// This run created it.
    New,
    /// It does not exist, and this is a dry run.
    Missing,
}

impl Bucket {
    /// Finds the bucket, or creates it.
    pub(super) async fn make(
        target: &Target,
        request: &Provision,
        on_step: &mut (dyn FnMut(ProvisionStep) + Send),
    ) -> Result<Self, StorageError> {
        let region = target.region.as_deref().unwrap_or(DEFAULT_REGION);
        let mut api = Api::new(target, region).await?;
        let mut looked = look(&api).await?;
        if let (None, Reply::Refused(Refusal { region: Some(region), .. })) = (&target.region, &looked)
            && is_region(region)
        {
            // The settings do not say where the bucket is; Amazon does.
            api = Api::new(target, &region.clone()).await?;
            looked = look(&api).await?;
        }
        let state = match looked {
            Reply::Done(()) => State::There,
            Reply::Refused(refusal)
                if refusal.code == "NoSuchBucket" || refusal.status == 404 && refusal.code.is_empty() =>
            {
                if request.dry_run { State::Missing } else { create(&api).await? }
            }
            Reply::Refused(refusal) => return Err(api.refused(&LOOK, refusal)),
            Reply::Strange => return Err(api.strange(&LOOK)),
        };
        let change = match state {
            State::There => ProvisionChange::Unchanged,
            State::New => ProvisionChange::Created,
            State::Missing => ProvisionChange::WouldCreate,
        };
        let target = api.target();
        let place = target.endpoint.as_ref().map_or_else(|| api.region().to_owned(), ToString::to_string);
        on_step(ProvisionStep::new("bucket", change, format!("{} in {}", target.bucket, place.trim_end_matches('/'))));
        Ok(Self { api, state })
    }
}

/// Lists the bucket, because the refusal of that request gives the reason.
async fn look(api: &Api) -> Result<Reply<()>, StorageError> {
    let Target { bucket, prefix, .. } = api.target();
    let prefix = Some(prefix.clone()).filter(|prefix| !prefix.is_empty());
    let list = api.client().list_objects_v2().bucket(bucket).set_prefix(prefix).max_keys(1);
    api.send(&LOOK, async { list.send().await.map(drop) }).await
}

async fn create(api: &Api) -> Result<State, StorageError> {
    let bucket = &api.target().bucket;
    let place = (api.region() != DEFAULT_REGION).then(|| {
        let region = BucketLocationConstraint::from(api.region());
        CreateBucketConfiguration::builder().location_constraint(region).build()
    });
    let create = api.client().create_bucket().bucket(bucket).set_create_bucket_configuration(place);
    match api.send(&CREATE, create.send()).await? {
        Reply::Done(_) => Ok(State::New),
        // Another process with the same key was faster.
        Reply::Refused(refusal) if refusal.code == "BucketAlreadyOwnedByYou" => Ok(State::There),
        Reply::Refused(refusal) if refusal.code == "BucketAlreadyExists" => Err(StorageError::new(format!(
            "cannot create {}: another account has a bucket of this name; choose another `bucket`",
            api.target().describe()
        ))
        .with_source(refusal)),
        Reply::Refused(refusal) => Err(api.refused(&CREATE, refusal)),
        Reply::Strange => Err(api.strange(&CREATE)),
    }
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.len() <= 63 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
