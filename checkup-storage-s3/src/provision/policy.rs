//! The bucket policy: anyone may read the check files of one prefix, and nothing else.

use serde_json::{Map, Value, json};

use crate::names::name;

/// The check files and what is derived from them. The parts of a large summary are named `summary-FROM-TO-HASH.json`, where the hash has
/// 16 digits.
const READ_FILES: [&str; 4] = ["*-check.json", "summary.json", "summary-*-*-????????????????.json", "index.json"];

/// The files of the status page, as patterns of a policy. `checkup-statuspage` defines what the page is made of.
pub(super) const PAGE_FILES: [&str; 10] = [
    "index.html",
    "page.js",
    "german.json",
    "feed.atom",
    "badge.svg",
    "badge/*.svg",
    "logo.*",
    "overview.json",
    "detail/*.json",
    "pages/*",
];

/// The names of our statements.
const FILES: &str = "CheckupReadFiles";
const LIST: &str = "CheckupReadList";
const PAGE: &str = "CheckupReadPage";

/// The only version of the policy language in which a literal `*` in a prefix can be written.
const VERSION: &str = "2012-10-17";

/// The scope of the policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) bucket: &'a str,
    pub(super) region: &'a str,
    /// Empty, or with a `/` at its end.
    pub(super) prefix: &'a str,
    /// The prefix of the page, if the check files are private.
    pub(super) page_prefix: Option<&'a str>,
    /// Whether anyone may read the files of the status page too.
    pub(super) page: bool,
}

/// A policy with our statements in it.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) document: Value,
    /// Whether it differs from what there was.
    pub(super) changed: bool,
    /// How many statements of others are in it.
    pub(super) others: usize,
}

/// Puts our statements into a policy, each replacing the one with its `Sid`. All others are unchanged.
///
/// # Errors
///
/// If the existing text is not a policy, or cannot be added to, with the reason.
pub(super) fn merge(existing: Option<&str>, scope: Scope<'_>) -> Result<Merged, String> {
    let mut document = match existing {
        Some(text) => serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?,
        None => Map::from_iter([("Version".to_owned(), json!(VERSION))]),
    };
    let mut statements = match document.remove("Statement") {
        Some(Value::Array(statements)) => statements,
        // A single statement may be written without brackets.
        Some(statement) => vec![statement],
        None => Vec::new(),
    };
    let prefixes = [scope.prefix, scope.page_prefix.unwrap_or_default()].concat();
    if prefixes.contains(['*', '?', '$']) && document.get("Version").and_then(Value::as_str) != Some(VERSION) {
        return Err(format!("its `Version` is not {VERSION}, so that it cannot name this prefix; change its version"));
    }
    let (ours, mut changed) = (scope.statements(), false);
    if scope.page_prefix.is_some() {
        // Check files that were public become private.
        let former = [FILES, LIST].map(|base| json!(name(base, scope.prefix)));
        let before = statements.len();
        statements.retain(|there| !former.contains(&there["Sid"]));
        changed = statements.len() < before;
    }
    let others = statements.iter().filter(|there| !ours.iter().any(|ours| ours["Sid"] == there["Sid"])).count();
    for statement in ours {
        match statements.iter_mut().find(|there| there["Sid"] == statement["Sid"]) {
            Some(there) if is_same(there, &statement) => {}
            Some(there) => (*there, changed) = (statement, true),
            None => {
                statements.push(statement);
                changed = true;
            }
        }
    }
    document.insert("Statement".to_owned(), Value::Array(statements));
    Ok(Merged { document: Value::Object(document), changed, others })
}

impl Scope<'_> {
    /// Describes what the policy allows anyone to do.
    pub(super) fn describe(&self) -> String {
        if let Some(page) = self.page_prefix {
            let place = if page.is_empty() { String::new() } else { format!(" in {page}") };
            return format!("anyone may read the page's files{place}, and no check files");
        }
        let page = if self.page { ", the page's files" } else { "" };
        match self.prefix {
            "" => format!("anyone may read check files{page} and the files derived from them, and list the bucket"),
            prefix => {
                format!(
                    "anyone may read check files{page} and the files derived from them in {prefix}, and list with this prefix"
                )
            }
        }
    }

    fn statements(&self) -> Vec<Value> {
        let allow = |base: &str, action: &str, resource: Value| json!({"Sid": name(base, self.prefix), "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource});
        if let Some(page) = self.page_prefix {
            return vec![allow(PAGE, "s3:GetObject", self.objects(page, &PAGE_FILES))];
        }
        let mut list = allow(LIST, "s3:ListBucket", json!(self.arn()));
        // A listing without a prefix shows everything, so it is refused unless the storage is the whole bucket.
        if !self.prefix.is_empty() {
            list["Condition"] = json!({"StringEquals": {"s3:prefix": literal(self.prefix, &['$'])}});
        }
        let mut all = vec![allow(FILES, "s3:GetObject", self.objects(self.prefix, &READ_FILES)), list];
        if self.page {
            all.push(allow(PAGE, "s3:GetObject", self.objects(self.prefix, &PAGE_FILES)));
        }
        all
    }

    fn arn(&self) -> String {
        format!("arn:{}:s3:::{}", partition(self.region), self.bucket)
    }

    /// The objects under a prefix whose names match one of the patterns.
    fn objects(&self, prefix: &str, patterns: &[&str]) -> Value {
        let folder = format!("{}/{}", self.arn(), literal(prefix, &['*', '?', '$']));
        patterns.iter().map(|pattern| format!("{folder}{pattern}")).collect()
    }
}

/// Escapes characters that would have another meaning in a policy: `${*}`.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars>
fn literal(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(&character) {
            out.extend(['$', '{', character, '}']);
        } else {
            out.push(character);
        }
    }
    out
}

/// The partition that a region belongs to, as ARNs name it.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

/// Whether two statements mean the same: servers write a list of one as a string, `"*"` as `{"AWS": "*"}`, and lists in any order.
fn is_same(there: &Value, ours: &Value) -> bool {
    normal(there) == normal(ours)
}

fn normal(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(normal).collect();
            items.sort_by_key(Value::to_string);
            match <[Value; 1]>::try_from(items) {
                Ok([only]) => only,
                Err(items) => Value::Array(items),
            }
        }
        Value::Object(map) => {
            let map: Map<_, _> = map.iter().map(|(key, value)| (key.clone(), normal(value))).collect();
            if map.len() == 1 && map.get("AWS").is_some_and(|anyone| anyone == "*") {
                json!("*")
            } else {
                Value::Object(map)
            }
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
