//! The command line: its grammar, and the way from the arguments to a command.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use checkup_core::config::Registry;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::args::Global;
use crate::commands::{
    beat, check, completions, every, explain, history, init, maintain, man, message, provision, schema, serve,
    statuspage, validate, wait,
};
use crate::exit::{self, Error, Exit};
use crate::output::{Stdout, escape, stderr};
use crate::{Program, descriptors, exit_codes, tracing, urls};

/// Health checks for HTTP, TCP, DNS and any other checker that is compiled in.
///
/// Without a command, runs every check of the config file once and prints the report.
///
/// With URLs, it checks these instead.
#[derive(Debug, Parser)]
#[command(name = "checkup", version, after_help = exit::HELP, subcommand_help_heading = "Commands")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    check: check::Args,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    Every(every::Args),
    Wait(wait::Args),
    Beat(beat::Args),
    Message(Box<message::Args>),
    History(history::Args),
    Serve(serve::Args),
    #[command(subcommand)]
    Statuspage(statuspage::Command),
    Maintain(maintain::Args),
    Provision(provision::Args),
    Validate(validate::Args),
    Init(init::Args),
    Explain(explain::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command that the arguments of this process ask for.
pub(crate) fn run(program: Program, registry: &Registry) -> ExitCode {
    stderr::name_program(program.name);
    let cli = match parse(program, registry) {
        Ok(cli) => cli,
        // Help and the version are not errors, and go to standard output.
        Err(error) => {
            print(&error);
            return ExitCode::from(if error.use_stderr() { exit_codes::USAGE } else { exit_codes::HEALTHY });
        }
    };
    match tracing::init(cli.global.verbose, cli.global.quiet).and_then(|()| in_runtime(program, registry, &cli)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            error.print();
            error.code()
        }
    }
}

fn grammar(program: Program, registry: &Registry) -> clap::Command {
    let describe = |argument| urls::describe(argument, registry);
    Cli::command()
        .name(program.name)
        .version(program.version)
        .mut_arg("urls", describe)
        .mut_subcommand("wait", |wait| wait.mut_arg("urls", describe))
}

/// Parses the arguments of this process. Options that would have no effect are rejected.
fn parse(program: Program, registry: &Registry) -> Result<Cli, clap::Error> {
    let mut grammar = grammar(program, registry);
    let matches = grammar.try_get_matches_from_mut(env::args_os()).map_err(|error| with_tip(error, &grammar))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut grammar))?;
    let commands: Vec<_> = grammar.get_subcommands().map(clap::Command::get_name).collect();
    if let Some(message) = cli.check.urls.mistaken_command(&commands) {
        return Err(grammar.error(ErrorKind::InvalidSubcommand, message));
    }
    match cli.without_effect() {
        Some(message) => Err(grammar.error(ErrorKind::ArgumentConflict, message)),
        None => Ok(cli),
    }
}

/// An error about an unknown option, which says which commands have it.
fn with_tip(mut error: clap::Error, grammar: &clap::Command) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    // The advice to write it behind `--` would make a URL of it.
    error.remove(ContextKind::Suggested);
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg).cloned() else { return error };
    let has_it = |command: &&clap::Command| {
        command.get_arguments().any(|argument| argument.get_long().is_some_and(|long| option == format!("--{long}")))
    };
    let commands: Vec<_> =
        grammar.get_subcommands().filter(has_it).map(|command| format!("`{}`", command.get_name())).collect();
    if !commands.is_empty() {
        let tip = format!("{option} is an option of {}", commands.join(", "));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Prints clap's message. It quotes the arguments, which scripts may take from elsewhere.
fn print(error: &clap::Error) {
    if env::args_os().any(|arg| escape::line(&arg.to_string_lossy()) != arg.to_string_lossy()) {
        stderr::write_lines(&error.render().to_string());
    } else {
        // If this fails, there is no other place to report it.
        let _ = error.print();
    }
}

fn in_runtime(program: Program, registry: &Registry, cli: &Cli) -> Result<Exit, Error> {
    descriptors::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::because("cannot start the runtime", error))?;
    // The panic has been reported on standard error, and the value that panicked is not used again.
    let result =
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(dispatch(program, registry, cli)))).unwrap_or_else(|_| {
            Err(Error::failed("the command panicked; this is a bug in it or in a plugin, please report it"))
        });
    // A task that still blocks (in a hanging system resolver, for example) was given up, and must not delay the exit.
    runtime.shutdown_background();
    result
}

async fn dispatch(program: Program, registry: &Registry, cli: &Cli) -> Result<Exit, Error> {
    let (global, stdout) = (&cli.global, &mut Stdout::new(cli.global.color));
    match &cli.command {
        None => check::run(registry, global, &cli.check, stdout).await,
        Some(Command::Every(args)) => every::run(registry, global, args, stdout).await,
        Some(Command::Wait(args)) => wait::run(registry, global, args, stdout).await,
        Some(Command::Beat(args)) => beat::run(registry, global, args).await,
        Some(Command::Message(args)) => message::run(registry, global, args, stdout).await,
        Some(Command::History(args)) => history::run(registry, global, args, stdout).await,
        Some(Command::Maintain(_)) => maintain::run(registry, global, stdout).await,
        Some(Command::Serve(args)) => serve::run(registry, global, args, stdout).await,
        Some(Command::Statuspage(command)) => statuspage::run(registry, global, command, stdout).await,
        Some(Command::Provision(args)) => provision::run(registry, global, args, stdout).await,
        Some(Command::Validate(args)) => validate::run(registry, global, args, stdout),
        Some(Command::Init(args)) => init::run(registry, global, args, stdout),
        Some(Command::Explain(args)) => explain::run(registry, args, stdout),
        Some(Command::Schema(_)) => schema::run(registry, stdout),
        Some(Command::Completions(args)) => completions::run(args, grammar(program, registry), stdout),
        Some(Command::Man(args)) => man::run(args, grammar(program, registry), global, stdout),
    }
}

impl Cli {
    /// What is wrong with the first option that is set and would have no effect.
    fn without_effect(&self) -> Option<String> {
        if let (Some(option), Some(_)) = (self.check.given(), &self.command) {
            return Some(format!(
                "{option} in front of a command has no effect; see the options of the command with --help"
            ));
        }
        let global = &self.global;
        match &self.command {
            None => self.check.without_effect(global),
            Some(Command::Wait(args)) => args.without_effect(global),
            Some(Command::Serve(args)) => args.without_effect(),
            Some(Command::Validate(args)) => args.without_effect(global),
            Some(Command::Provision(args)) => args.without_effect(global),
            Some(Command::Init(_)) => global.config_has_no_effect("on `init`; pass the file to write without it"),
            Some(Command::Explain(_)) => global.config_has_no_effect("on `explain`"),
            Some(Command::Man(_)) => global.config_has_no_effect("on `man`"),
            Some(Command::Schema(_)) => global.config_has_no_effect("on `schema`"),
            Some(Command::Completions(_)) => global.config_has_no_effect("on `completions`"),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }
}
