//! The grammar: help, versions, completions, and rejected arguments.

use crate::support::{Folder, ONE_CHECK};

#[test]
fn help_goes_to_standard_output() {
    let ran = Folder::empty().run(&["-h"]);
    assert_eq!(ran.parts(), (0, include_str!("help.txt"), ""));
    let long = Folder::empty().run(&["--help"]);
    assert!(long.stdout.contains("  2  invalid arguments or configuration; nothing was checked\n"), "{}", long.stdout);
}

/// The codes of a text, each in front of its meaning.
fn codes(text: &str) -> Vec<u8> {
    text.split(',').map(|code| code.trim().parse().unwrap()).collect()
}

#[test]
fn help_and_documentation_list_the_exit_codes() {
    use checkup_cli::exit_codes::{FAILED, HANGUP, HEALTHY, INTERRUPTED, SPOOLED, TERMINATED, UNHEALTHY, USAGE};

    let usual = [HEALTHY, UNHEALTHY, USAGE, FAILED, SPOOLED];
    let help = Folder::empty().run(&["-h"]).stdout;
    let listed = help.split("Exit codes:\n").nth(1).unwrap().lines();
    let listed: Vec<_> = listed.flat_map(|line| codes(line.trim().split("  ").next().unwrap())).collect();
    assert_eq!(listed, usual);

    let docs = include_str!("../../src/lib.rs");
    let rows =
        docs.split("//! | Code | Meaning |").nth(1).unwrap().lines().skip(2).take_while(|row| row.starts_with("//! |"));
    let listed: Vec<_> = rows.flat_map(|row| codes(row.split('|').nth(1).unwrap())).collect();
    assert_eq!(listed, [&usual[..], &[HANGUP, INTERRUPTED, TERMINATED]].concat());

    let docs = include_str!("../../../docs/command-line.md");
    let rows =
        docs.split("| Exit code | Meaning |").nth(1).unwrap().lines().skip(2).take_while(|row| row.starts_with('|'));
    let listed: Vec<_> = rows.flat_map(|row| codes(row.split('|').nth(1).unwrap())).collect();
    assert_eq!(listed, usual);
}

#[test]
fn every_command_has_help_that_fits_a_terminal() {
    for command in [
        "every",
        "wait",
        "beat",
        "message",
        "history",
        "serve",
        "statuspage",
        "maintain",
        "provision",
        "validate",
        "init",
        "explain",
        "schema",
        "completions",
        "man",
    ] {
        let ran = Folder::empty().run(&[command, "--help"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{command}");
        let widest = ran.stdout.lines().map(str::len).max().unwrap();
        assert!(widest <= 110, "{command}: {}", ran.stdout);
    }
}

#[test]
fn the_version_is_that_of_the_crate() {
    let ran = Folder::empty().run(&["--version"]);
    assert_eq!(ran.parts(), (0, concat!("checkup ", env!("CARGO_PKG_VERSION"), "\n"), ""));
}

#[test]
fn invalid_arguments_exit_with_2() {
    let folder = Folder::empty().file("checkup.json", ONE_CHECK);
    for args in [
        &["--nonsense"][..],
        &["evry", "1m"],
        &["every"],
        &["--format", "xml"],
        &["every", "1m", "--format", "junit"],
        &["wait", "--timeout", "soon"],
        &["wait", "--timeout", "0s"],
        &["wait", "--interval", "0s"],
        &["--store", "every", "1m"],
        &["--only", "x", "message", "y"],
        &["completions", "tcsh"],
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn options_that_would_have_no_effect_are_refused() {
    let folder = Folder::empty().file("checkup.json", ONE_CHECK);
    for (args, expected) in [
        (&["--stats", "wait"][..], "--stats in front of a command has no effect; "),
        (&["--location", "eu", "every", "1m"], "--location in front of a command has no effect; "),
        (&["validate", "checkup.json", "-c", "nowhere.json"], "--config has no effect next to the files to validate\n"),
        (&["-c", "x.json", "init", "y.json"], "--config has no effect on `init`; pass the file to write without it\n"),
        (&["-c", "checkup.json", "schema"], "--config has no effect on `schema`\n"),
        (&["explain", "http", "-c", "checkup.json"], "--config has no effect on `explain`\n"),
        (&["man", "-c", "checkup.json"], "--config has no effect on `man`\n"),
        (&["completions", "bash", "-c", "checkup.json"], "--config has no effect on `completions`\n"),
        (&["--stats", "--format", "json"], "--stats has no effect with --format json; statistics are only in text\n"),
        (&["--stats", "--format", "junit"], "--stats has no effect with --format junit; statistics are only in text\n"),
        (
            &["--stats", "--format", "github"],
            "--stats has no effect with --format github; statistics are only in text\n",
        ),
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("error: {expected}")), "{args:?}: {}", ran.stderr);
    }
    assert!(!folder.path("y.json").exists());
    // Text is the default format.
    assert_eq!(folder.run(&["--stats", "--format", "text"]).code, 1);
}

#[test]
fn the_config_is_named_before_or_behind_the_command() {
    let folder = Folder::empty().file("other.yaml", ONE_CHECK);
    let expected = (0, "other.yaml: 1 check\n", "");
    assert_eq!(folder.run(&["-c", "other.yaml", "validate"]).parts(), expected);
    assert_eq!(folder.run(&["validate", "--config", "other.yaml"]).parts(), expected);
}

#[test]
fn arguments_are_quoted_without_their_control_characters() {
    let folder = Folder::empty().file("checkup.json", ONE_CHECK);
    for args in [
        &["--no-such-option\u{1b}[2J"][..],
        &["every", "1m\u{1b}[2J"],
        &["validate", "x\u{1b}[2J\ncheckup: forged.json"],
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(!ran.stderr.contains('\u{1b}'), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("\ncheckup: forged"), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn a_duration_without_a_unit_is_answered_with_one() {
    let folder = Folder::empty().file("checkup.json", ONE_CHECK);
    for args in [
        &["wait", "--timeout", "10"][..],
        &["every", "10"],
        &["history", "--since", "10"],
        &["message", "x", "--maintenance", "now..+10"],
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.stderr.contains("found \"10\"; did you mean \"10s\"?"), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folder = Folder::empty();
    let ran = folder.run(&["man"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains(".TH checkup 1") && ran.stdout.contains("Exit codes"), "{}", ran.stdout);

    let ran = folder.run(&["man", "--dir", "man1"]);
    assert_eq!(ran.parts(), (0, "wrote the manual pages to man1\n", ""));
    for (page, title) in
        [("checkup", "checkup"), ("checkup-wait", "checkup-wait"), ("checkup-message-end", "checkup-message-end")]
    {
        let text = folder.read(&format!("man1/{page}.1"));
        assert!(text.contains(&format!(".TH {title} 1")), "{page}: {text}");
    }
    // The name of the command in the synopsis is what people type.
    assert!(folder.read("man1/checkup-wait.1").contains("checkup wait"), "{}", folder.read("man1/checkup-wait.1"));
}

#[test]
fn shells_get_their_completions() {
    for (shell, part) in [("bash", "_checkup()"), ("zsh", "#compdef checkup"), ("fish", "complete -c checkup")] {
        let ran = Folder::empty().run(&["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
        assert!(ran.stdout.contains(part), "{shell}: {}", ran.stdout);
    }
}
