//! Creates what the storage needs before its first store, and lets a status page read it.

use std::env;
use std::io;
use std::time::Duration;

use checkup_core::config::{Format, Registry};
use checkup_core::{Checkup, ConfigError, Provision, ProvisionChange, ProvisionStep};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::args::Global;
use crate::config::{self, needs_storage};
use crate::exit::{Error, Exit};
use crate::output::{Stdout, escape};

/// The variable with the name of the bucket, as in the original Checkup's `provision s3`.
const BUCKET: &str = "AWS_BUCKET_NAME";

/// Create what the storage needs before its first store, such as a bucket, and let a status page read it
///
/// You can run it again at any time: it changes only what differs, and keeps the settings of others.
///
/// Marks: + for created, ~ for updated, = for unchanged, - for what the server does not support.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Take the storage from the environment instead of a config file
    ///
    /// Its settings are in AWS_BUCKET_NAME, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    #[arg(value_name = "PROVIDER")]
    provider: Option<Provider>,
    /// Change nothing; print the planned changes and their documents
    #[arg(long)]
    dry_run: bool,
    /// The status page is in the storage too: let anyone read its files
    #[arg(long)]
    page: bool,
    /// Like --page, and let the storage serve it as a website
    #[arg(long)]
    website: bool,
    /// Let only pages of this origin read the files, such as `https://status.example.com`; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Let the storage itself remove check files of this age, such as `400d`
    #[arg(long, value_name = "DURATION", value_parser = checkup_core::duration::parse)]
    expire_after: Option<Duration>,
    /// How to print the steps
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: StepFormat,
}

/// A storage that can be provisioned without a config file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// A bucket of Amazon S3 or of a compatible server (AWS_ENDPOINT_URL)
    S3,
}

/// How the steps are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StepFormat {
    /// A line for each step as soon as it is done; with --dry-run, including what it would write
    Text,
    /// An array of all steps at the end
    Json,
}

impl Args {
    pub(crate) fn without_effect(&self, global: &Global) -> Option<String> {
        self.provider
            .and_then(|_| global.config_has_no_effect("next to the provider, which is described by the environment"))
    }

    fn request(&self) -> Result<Provision, ConfigError> {
        let mut request = Provision::new();
        request.dry_run = self.dry_run;
        request.page = self.page || self.website;
        request.website = self.website;
        request.cors_origins.clone_from(&self.origins);
        request.expire_after = self.expire_after;
        request.validate()?;
        Ok(request)
    }
}

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    let request = args.request()?;
    let checkup = match args.provider {
        Some(Provider::S3) => from_environment(registry)?,
        None => config::load(registry, global)?,
    };
    let storage = needs_storage(&checkup, "provisioning")?;
    let provisioner = storage.provisioner().ok_or_else(|| nothing_to_provision(&checkup))?;
    let (mut steps, mut printed) = (Vec::new(), Ok(()));
    let mut show = |step: ProvisionStep| match args.format {
        StepFormat::Json => steps.push(json(&step)),
        StepFormat::Text if global.quiet || printed.is_err() => {}
        StepFormat::Text => printed = stdout.print(&text(&step, args.dry_run)),
    };
    let result = provisioner.provision(&request, &mut show).await;
    printed?;
    // The steps before a failure are done, and must be shown.
    if args.format == StepFormat::Json && !global.quiet {
        let document = serde_json::to_string_pretty(&steps).map_err(io::Error::from)?;
        stdout.print(&escape::json(&(document + "\n")))?;
    }
    result.map_err(|error| Error::because("the storage is not provisioned", error))?;
    Ok(Exit::Healthy)
}

/// A checkup without checks, with the storage that the environment describes. The storage itself reads the remaining variables.
fn from_environment(registry: &Registry) -> Result<Checkup, Error> {
    let bucket = env::var(BUCKET).ok().filter(|bucket| !bucket.is_empty()).ok_or_else(|| {
        Error::usage(format!(
            "`provision s3` takes the name of the bucket from the environment, and {BUCKET} is not set"
        ))
    })?;
    // `$` would insert another variable, which may hold a secret.
    if bucket.contains('$') {
        return Err(Error::usage(format!("expected the name of a bucket in {BUCKET}, found a `$` in it")));
    }
    let document = json!({"checkers": [], "storage": {"type": "s3", "bucket": bucket}});
    let in_environment = |error: ConfigError| error.in_file("the environment");
    Ok(registry.parse(&document.to_string(), Format::Json).map_err(in_environment)?)
}

fn nothing_to_provision(checkup: &Checkup) -> Error {
    let name = checkup.storage_type().unwrap_or_default();
    if name == "s3" && !cfg!(feature = "provision") {
        return Error::usage(
            "this command was built without provisioning, which takes long to compile; build checkup-cli with the feature `provision`",
        );
    }
    let name = if name.is_empty() { String::new() } else { format!(" `{}`", escape::line(name)) };
    Error::usage(format!("the storage{name} needs no provisioning"))
}

/// A step in a line; in a dry run, what it would write is below it.
fn text(step: &ProvisionStep, dry_run: bool) -> String {
    let mark = match step.change {
        ProvisionChange::Created | ProvisionChange::WouldCreate => '+',
        ProvisionChange::Updated | ProvisionChange::WouldUpdate => '~',
        ProvisionChange::Unchanged => '=',
        _ => '-',
    };
    let mut out = format!("{mark} {}\n", escape::line(&step.to_string()));
    for line in step.document.iter().filter(|_| dry_run).flat_map(|document| document.lines()) {
        out.push_str(&format!("    {}\n", escape::line(line)));
    }
    out
}

fn json(step: &ProvisionStep) -> Value {
    let mut document = json!({"what": step.what, "change": step.change.as_str(), "detail": step.detail});
    if let Some(text) = &step.document {
        document["document"] = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_line_with_a_mark_and_in_a_dry_run_its_document() {
        let step = ProvisionStep::new("bucket policy", ProvisionChange::WouldCreate, "anyone\u{1b}[31m may read");
        let step = step.document("{\n  \"a\": 1\n}");
        assert_eq!(text(&step, false), "+ would create bucket policy: anyone\\u{1b}[31m may read\n");
        assert_eq!(text(&step, true).lines().skip(1).collect::<Vec<_>>(), ["    {", "      \"a\": 1", "    }"]);
        assert_eq!(json(&step)["document"], json!({"a": 1}));
        let step = ProvisionStep::new("website", ProvisionChange::Unsupported, "");
        assert_eq!(text(&step, true), "- not supported website\n");
    }
}
