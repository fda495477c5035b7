//! Creates the bucket and makes the check files readable for a status page: [`StorageProvisioner`].
//!
//! Each step reads the current setting, and writes only what is missing or differs from the request. Making the files public
//! is the last step.

mod api;
mod bucket;
mod cors;
mod http;
mod lifecycle;
mod policy;
mod steps;

use checkup_core::{Provision, ProvisionStep, StorageError, StorageProvisioner, async_trait};

use self::bucket::Bucket;
use self::steps::Steps;
use crate::files::Files;

#[async_trait]
impl StorageProvisioner for Files {
    async fn provision(
        &self,
        request: &Provision,
        on_step: &mut (dyn FnMut(ProvisionStep) + Send),
    ) -> Result<(), StorageError> {
        let target = self.target();
        let fail = |error: &dyn std::fmt::Display| {
            StorageError::new(format!("cannot provision {}: {error}", target.describe()))
        };
        request.validate().map_err(|error| fail(&error))?;
        let bucket = Bucket::make(target, request, on_step).await?;
        let mut steps = Steps::new(&bucket, request, on_step);
        steps.cors().await?;
        steps.lifecycle().await?;
        if request.website {
            steps.website().await?;
        }
        steps.public_access().await?;
        steps.policy().await?;
        steps.finish()
    }
}
