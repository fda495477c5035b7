//! Checks that are named on the command line, without a config file.

use checkup_core::Checkup;
use checkup_core::config::{Registry, suggest};
use clap::{Arg, ValueHint};

use crate::args::Global;
use crate::descriptors;
use crate::exit::Error;
use crate::selection::Selection;

/// Words that people try for what happens without a command.
const NEEDLESS: [&str; 4] = ["check", "once", "run", "test"];

/// What to check instead of the checks of a config file.
#[derive(Debug, clap::Args)]
pub(crate) struct Urls {
    /// URLs to check instead of a config file
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    urls: Vec<String>,
}

impl Urls {
    pub(crate) fn is_empty(&self) -> bool {
        self.urls.is_empty()
    }

    /// The checks for the URLs.
    pub(crate) fn checkup(&self, registry: &Registry) -> Result<Checkup, Error> {
        let checks = registry.checks_from_urls(&self.urls)?;
        Ok(descriptors::bounded(Checkup::builder().checks(checks).build()?))
    }

    /// The error for the first option that has no effect next to URLs.
    pub(crate) fn without_effect(&self, global: &Global, selection: &Selection) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let selection = || (!selection.only.is_empty()).then(|| "--only has no effect next to URLs".to_owned());
        global.config_has_no_effect("next to URLs").or_else(selection)
    }

    /// The error for the first word that was probably meant to be a command: one of `commands`.
    pub(crate) fn mistaken_command(&self, commands: &[&str]) -> Option<String> {
        let word = self.urls.iter().find(|url| !url.contains(['.', ':', '/']) && *url != "localhost")?;
        if commands.contains(&word.as_str()) {
            return Some(format!("the command `{word}` goes in front of its arguments"));
        }
        if NEEDLESS.contains(&word.as_str()) {
            return Some(format!("there is no command `{word}`: leave it out, and the checks run once"));
        }
        Some(match suggest::closest(word, commands.iter().copied()) {
            Some(command) => format!("there is no command `{word}`; did you mean `{command}`?"),
            None => format!("`{word}` is neither a command nor a URL"),
        })
    }
}

/// Lists in the help of a command which URLs the registry knows.
pub(crate) fn describe(argument: Arg, registry: &Registry) -> Arg {
    match registry.url_forms() {
        forms if forms.is_empty() => argument.hide(true),
        forms => {
            let forms: String = forms.iter().map(|form| format!("\n- {form}")).collect();
            argument
                .help("URLs to check instead of a config file; --help lists their forms")
                .long_help(format!("URLs to check instead of a config file:{forms}"))
        }
    }
}
