//! The embedded files of `web/`.

use std::sync::LazyLock;

/// The frame of the page, with placeholders (`web/FORMAT.md`).
pub(crate) const INDEX: &str = include_str!("../../web/index.html");

/// The style, which becomes part of the frame, without what browsers do not need.
pub(crate) static STYLE: LazyLock<String> = LazyLock::new(|| tightened(include_str!("../../web/style.css")));

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../web/", $name)))),*]
    };
}

/// The modules, each after those that it imports.
const MODULES: &[(&str, &str)] = modules![
    "dom.js",
    "english.js",
    "words.js",
    "text.js",
    "model.js",
    "sweep.js",
    "history.js",
    "events.js",
    "verdict.js",
    "data.js",
    "scrub.js",
    "bars.js",
    "chart.js",
    "locations.js",
    "card.js",
    "groups.js",
    "banner.js",
    "notices.js",
    "entries.js",
    "current.js",
    "timeline.js",
    "page.js",
];

/// All modules joined into one.
pub(crate) static SCRIPT: LazyLock<String> = LazyLock::new(|| join(MODULES));

/// Joins modules that follow the rules of `web/FORMAT.md`. It removes imports, the word `export`, indentation, empty lines, and lines that are
/// comments, which would be a quarter of the size, and spaces and line breaks that separate nothing.
fn join(modules: &[(&str, &str)]) -> String {
    let lines = modules.iter().flat_map(|(_, text)| text.lines());
    let kept = lines.filter(|line| !line.trim().is_empty() && !line.starts_with("import ") && !is_comment(line));
    let mut joined = String::new();
    for line in kept {
        let line = tightened_line(line.strip_prefix("export ").unwrap_or(line).trim());
        joined.push_str(&line);
        // After these, no statement ends by the line break alone.
        let needs_break = !line.ends_with([';', ',', '{', '}', '(', '[']) || line.contains("//");
        joined.extend(needs_break.then_some('\n'));
    }
    joined
}

/// What needs no spaces around it, or on one side, in JavaScript.
const TIGHT: [(&str, &str); 30] = [
    (", ", ","),
    ("{ ", "{"),
    (" {", "{"),
    (" }", "}"),
    ("} ", "}"),
    (") ", ")"),
    ("if (", "if("),
    ("for (", "for("),
    ("while (", "while("),
    ("; ", ";"),
    (": ", ":"),
    (" : ", ":"),
    (" = ", "="),
    (" => ", "=>"),
    (" === ", "==="),
    (" !== ", "!=="),
    (" += ", "+="),
    (" -= ", "-="),
    (" >= ", ">="),
    (" <= ", "<="),
    (" < ", "<"),
    (" > ", ">"),
    (" + ", "+"),
    (" * ", "*"),
    (" % ", "%"),
    (" && ", "&&"),
    (" || ", "||"),
    (" ?? ", "??"),
    (" ??= ", "??="),
    (" ? ", "?"),
];

/// A line of JavaScript without spaces that separate nothing. Lines in which only a parser could find the ends of texts and regular expressions
/// are not changed.
fn tightened_line(line: &str) -> String {
    if line.contains(['`', '\'', '\\', '/']) {
        return line.to_owned();
    }
    let parts = line.split('"').enumerate().map(|(i, part)| {
        let is_text = i % 2 == 1;
        if is_text {
            part.to_owned()
        } else {
            TIGHT.iter().fold(part.to_owned(), |part, (from, to)| part.replace(from, to))
        }
    });
    parts.collect::<Vec<_>>().join("\"")
}

/// CSS without comments, indentation, line breaks, and spaces that separate nothing.
fn tightened(css: &str) -> String {
    let mut parts = css.split("/*");
    let first = parts.next().unwrap_or_default();
    let rest = parts.filter_map(|part| part.split_once("*/").map(|(_, after)| after));
    let plain: String = std::iter::once(first).chain(rest).collect();
    let joined: String = plain.lines().map(str::trim).collect();
    [(" {", "{"), ("{ ", "{"), ("; ", ";"), (";}", "}"), (" }", "}"), (": ", ":")]
        .into_iter()
        .fold(joined, |css, (from, to)| css.replace(from, to))
}

/// Whether a line is a comment, or part of a `/** … */` in the usual form.
fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with("/**") || line.starts_with("* ") || line == "*/"
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    /// The name that a top-level line declares.
    fn declared(line: &str) -> Option<&str> {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let kinds = ["async function* ", "async function ", "function* ", "function ", "class ", "const ", "let "];
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        Some(rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').next().unwrap())
    }

    #[test]
    fn every_module_of_the_folder_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let there: BTreeSet<_> = names.filter(|name| name.ends_with(".js")).collect();
        let listed: BTreeSet<_> = MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, listed, "MODULES in src/page/assets.rs must list the modules of web/");
        assert_eq!(MODULES.last().unwrap().0, "page.js");
    }

    #[test]
    fn modules_follow_the_rules_for_joining() {
        let (mut names, mut exports) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<_>>::new());
        for (module, text) in MODULES {
            for line in text.lines() {
                if let Some(rest) = line.strip_prefix("import ") {
                    let (list, from) = rest.split_once(" from ").expect("a static import in one line");
                    let from = from.trim_start_matches("\"./").trim_end_matches("\";");
                    let known =
                        exports.get(from).unwrap_or_else(|| panic!("{module} imports {from}, which is not before it"));
                    for name in list.trim_matches(['{', '}', ' ']).split(',').map(str::trim).filter(|n| !n.is_empty()) {
                        assert!(known.contains(name), "{module}: {from} does not export {name}");
                    }
                    continue;
                }
                assert!(!line.trim_start().starts_with("import "), "{module}: imports are at the line's start: {line}");
                assert!(!line.contains("import("), "{module}: imports are static: {line}");
                let ticks = line.matches('`').count();
                assert!(ticks % 2 == 0, "{module}: a template ends in its line, since indentation is removed: {line}");
                if line.starts_with("export ") {
                    let name = declared(line).unwrap_or_else(|| panic!("{module}: no such export: {line}"));
                    exports.entry(*module).or_default().insert(name);
                }
                if let Some(name) = declared(line).filter(|name| !name.is_empty()) {
                    let before = names.insert(name, module);
                    assert_eq!(before, None, "{module}: {name} is declared at the top level twice");
                }
            }
            exports.entry(module).or_default();
        }
    }

    #[test]
    fn css_is_the_same_without_what_browsers_do_not_need() {
        let css = "/* Two\n   lines */\n.a { color: red; margin: 0 1px; }\n@media (width: 1px) {\n  .b,\n  .c > .d:hover { top: 0; }\n}\n/* End */";
        assert_eq!(tightened(css), ".a{color:red;margin:0 1px}@media (width:1px){.b,.c > .d:hover{top:0}}");
        assert!(STYLE.contains(".card{") && !STYLE.contains("/*"));
    }

    #[test]
    fn lines_are_the_same_without_spaces_that_separate_nothing() {
        let line = r#"if (a === b && c) return { key: [1, 2], text: "{n} of {total}: a, b" };"#;
        assert_eq!(tightened_line(line), r#"if(a===b&&c)return{key:[1,2],text:"{n} of {total}: a, b"};"#);
        for same in ["x = a / b;", "const r = /, /u;", "y = `${a} , ${b}`;", r#"z = "\", ";"#, "t = ', ';"] {
            assert_eq!(tightened_line(same), same);
        }
    }

    #[test]
    fn joining_removes_imports_and_the_word_export() {
        let modules = [
            (
                "a.js",
                "// Of numbers.\n\n/** One. */\nexport const one = 1;\nexport async function two() {\n  return one;\n}\n",
            ),
            ("page.js", "import { one, two } from \"./a.js\";\n\nconsole.log(one);\n"),
        ];
        assert_eq!(join(&modules), "const one=1;async function two(){return one;}console.log(one);");
    }
}
