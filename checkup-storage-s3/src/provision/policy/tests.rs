use super::*;

const PLAIN: Scope<'_> =
    Scope { bucket: "status", region: "eu-west-1", prefix: "checks/", page_prefix: None, page: false };

fn document(scope: Scope<'_>) -> Value {
    merge(None, scope).unwrap().document
}

/// Whether a policy lets anyone do this, evaluated as IAM does, for the parts of the language that are used here.
fn anyone_may(policy: &Value, action: &str, resource: &str, prefix: Option<&str>) -> bool {
    policy["Statement"].as_array().unwrap().iter().any(|statement| {
        assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Allow"), &json!("*")));
        statement["Action"] == action
            && texts(&statement["Resource"]).iter().any(|pattern| matches(&tokens(pattern), resource))
            && holds(&statement["Condition"], prefix)
    })
}

fn holds(condition: &Value, prefix: Option<&str>) -> bool {
    match condition {
        Value::Null => true,
        condition => {
            let operators: Vec<_> = condition.as_object().unwrap().keys().collect();
            assert_eq!(operators, ["StringEquals"]);
            // A key that is not in the request fails `StringEquals`.
            let expected: String = tokens(condition["StringEquals"]["s3:prefix"].as_str().unwrap())
                .into_iter()
                .map(|token| token.0)
                .collect();
            prefix == Some(expected.as_str())
        }
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map_or_else(|| vec![value.as_str().unwrap()], |all| all.iter().map(|text| text.as_str().unwrap()).collect())
}

/// The characters of a pattern, and whether each is a wildcard if it looks like one.
fn tokens(mut pattern: &str) -> Vec<(char, bool)> {
    let mut tokens = Vec::new();
    while let Some(character) = pattern.chars().next() {
        match pattern.strip_prefix("${").and_then(|rest| rest.split_once('}')) {
            Some((escaped, rest)) => {
                assert!(["*", "?", "$"].contains(&escaped), "a variable");
                tokens.push((escaped.chars().next().unwrap(), false));
                pattern = rest;
            }
            None => {
                tokens.push((character, true));
                pattern = &pattern[character.len_utf8()..];
            }
        }
    }
    tokens
}

fn matches(pattern: &[(char, bool)], text: &str) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((('*', true), rest)) => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
        }
        Some(((character, wild), rest)) => text.chars().next().is_some_and(|first| {
            (first == *character || *character == '?' && *wild) && matches(rest, &text[first.len_utf8()..])
        }),
    }
}

fn may_get(scope: Scope<'_>, key: &str) -> bool {
    anyone_may(&document(scope), "s3:GetObject", &format!("arn:aws:s3:::status/{key}"), None)
}

fn may_list(scope: Scope<'_>, prefix: Option<&str>) -> bool {
    anyone_may(&document(scope), "s3:ListBucket", "arn:aws:s3:::status", prefix)
}

#[test]
fn the_document_is_what_the_docs_show() {
    let expected = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "CheckupReadFiles",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": [
                    "arn:aws:s3:::status/*-check.json",
                    "arn:aws:s3:::status/summary.json",
                    "arn:aws:s3:::status/summary-*-*-????????????????.json",
                    "arn:aws:s3:::status/index.json"
                ]
            },
            {
                "Sid": "CheckupReadList",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::status"
            }
        ]
    });
    assert_eq!(document(Scope { prefix: "", ..PLAIN }), expected);
}

#[test]
fn with_a_prefix_of_its_own_the_page_is_public_and_check_files_are_not() {
    for page_prefix in ["public/", ""] {
        let private = Scope { page_prefix: Some(page_prefix), ..PLAIN };
        for name in ["index.html", "page.js", "overview.json", "detail/0123456789abcdef.json", "pages/shop/index.html"]
        {
            assert!(may_get(private, &format!("{page_prefix}{name}")), "{name}");
        }
        for name in
            ["checks/1795000000000000000-check.json", "checks/summary.json", "checks/index.json", "checks/index.html"]
        {
            assert!(!may_get(private, name), "{name}");
        }
        assert!(!may_list(private, Some("checks/")) && !may_list(private, None));
    }
    // What was public before is not any longer, and what others allow stays.
    let theirs = json!({"Sid": "Theirs", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::status/other"});
    let mut before = document(Scope { page: true, ..PLAIN });
    before["Statement"].as_array_mut().unwrap().push(theirs.clone());
    let private = Scope { page_prefix: Some("public/"), ..PLAIN };
    let merged = merge(Some(&before.to_string()), private).unwrap();
    assert!(merged.changed);
    let statements = merged.document["Statement"].as_array().unwrap();
    assert!(statements.contains(&theirs) && statements.len() == 2, "{statements:?}");
    assert!(!anyone_may(&merged.document, "s3:GetObject", "arn:aws:s3:::status/checks/summary.json", None));
    assert!(!anyone_may(&merged.document, "s3:GetObject", "arn:aws:s3:::status/checks/index.html", None));
    assert!(!merge(Some(&merged.document.to_string()), private).unwrap().changed);
    assert_eq!(private.describe(), "anyone may read the page's files in public/, and no check files");
}

#[test]
fn anyone_may_read_check_files_under_the_prefix_and_nothing_else() {
    for key in [
        "checks/1795000000000000000-check.json",
        "checks/1795000000000000000-eu-ab12-check.json",
        "checks/summary.json",
        "checks/summary-20000-20100-0123456789abcdef.json",
        "checks/index.json",
    ] {
        assert!(may_get(PLAIN, key), "{key}");
    }
    for key in [
        "1795000000000000000-check.json",
        "summary.json",
        "other/1795000000000000000-check.json",
        "checks/secret.txt",
        "checks/1-check.json.bak",
        "checks/index.html",
        "checks/page.js",
        "checks/sub/summary.json",
        "checks/summary-notes.json",
        "checks/summary-2026-notes.json",
        "checks/summary-20000-20100-secret.json",
        "checks/summary-20000-20100-0123456789abcde.json",
        "checks/summary-20000-0123456789abcdef.json",
        "checks",
        "",
    ] {
        assert!(!may_get(PLAIN, key), "{key}");
    }
    let other = "arn:aws:s3:::status-other/checks/1795000000000000000-check.json";
    assert!(!anyone_may(&document(PLAIN), "s3:GetObject", other, None));
}

/// In AWS, `*` stands for any characters, slashes included, or none, and `?` for exactly one:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>.
#[test]
fn wildcards_match_what_they_match_in_aws() {
    for (pattern, text, expected) in [
        ("a*", "a", true),
        ("a*", "ab/c", true),
        ("*c", "ab/c", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abcd", false),
        ("a?c", "abc", true),
        ("a?c", "a/c", true),
        ("a?c", "aüc", true),
        ("a?c", "ac", false),
        ("a?c", "abbc", false),
        ("A", "a", false),
        ("a${*}c", "a*c", true),
        ("a${*}c", "abc", false),
        ("a${?}c", "abc", false),
    ] {
        assert_eq!(matches(&tokens(pattern), text), expected, "{pattern} {text}");
    }
}

#[test]
fn no_action_is_allowed_but_get_and_list() {
    for scope in [PLAIN, Scope { page: true, ..PLAIN }, Scope { prefix: "", page: true, ..PLAIN }] {
        for statement in document(scope)["Statement"].as_array().unwrap() {
            assert!(["s3:GetObject", "s3:ListBucket"].contains(&statement["Action"].as_str().unwrap()), "{statement}");
        }
    }
}

#[test]
fn anyone_may_list_with_the_prefix_alone() {
    assert!(may_list(PLAIN, Some("checks/")));
    for prefix in [None, Some(""), Some("checks"), Some("other/"), Some("checks/1")] {
        assert!(!may_list(PLAIN, prefix), "{prefix:?}");
    }
    // Without a prefix the check files lie among all other objects.
    let bare = Scope { prefix: "", ..PLAIN };
    assert!(may_list(bare, None) && may_list(bare, Some("")));
}

#[test]
fn the_pages_files_are_readable_only_if_the_page_is_there() {
    let page = Scope { page: true, ..PLAIN };
    for file in ["index.html", "page.js", "feed.atom", "badge.svg", "badge/api.svg", "logo.svg"] {
        let key = format!("checks/{file}");
        assert!(may_get(page, &key) && !may_get(PLAIN, &key), "{file}");
        assert!(!may_get(page, file), "{file} outside of the prefix");
    }
    assert!(!may_get(page, "checks/secret.txt"));
}

#[test]
fn wildcards_in_a_prefix_are_literal() {
    let scope = Scope { prefix: "a*b?${c}/", page: true, ..PLAIN };
    assert!(may_get(scope, "a*b?${c}/1-check.json"));
    assert!(!may_get(scope, "axxb?${c}/1-check.json"));
    assert!(!may_get(scope, "a*bx${c}/1-check.json"));
    assert!(may_list(scope, Some("a*b?${c}/")));
    assert!(!may_list(scope, Some("axb?${c}/")));
}

#[test]
fn other_partitions_have_other_names() {
    for (region, arn) in [
        ("cn-north-1", "arn:aws-cn:s3:::status"),
        ("us-gov-west-1", "arn:aws-us-gov:s3:::status"),
        ("eusc-de-east-1", "arn:aws-eusc:s3:::status"),
        ("garage", "arn:aws:s3:::status"),
    ] {
        assert_eq!(document(Scope { region, ..PLAIN })["Statement"][1]["Resource"], arn);
    }
}

#[test]
fn other_peoples_statements_are_kept() {
    let theirs = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::status/x"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    let nameless =
        json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "s3:*", "Resource": "*"});
    let existing = json!({"Version": "2008-10-17", "Id": "hers", "Statement": [theirs, nameless]});
    let merged = merge(Some(&existing.to_string()), PLAIN).unwrap();
    assert!(merged.changed);
    assert_eq!(merged.others, 2);
    assert_eq!((&merged.document["Version"], &merged.document["Id"]), (&json!("2008-10-17"), &json!("hers")));
    let statements = merged.document["Statement"].as_array().unwrap();
    assert_eq!(statements[..2], [theirs.clone(), nameless]);
    assert_eq!(statements.len(), 4);
    // A single statement may be written without brackets.
    let single = json!({"Version": "2012-10-17", "Statement": theirs});
    assert_eq!(merge(Some(&single.to_string()), PLAIN).unwrap().document["Statement"][0], theirs);
}

#[test]
fn two_prefixes_of_a_bucket_have_separate_statements() {
    let first = document(PLAIN);
    let both = merge(Some(&first.to_string()), Scope { prefix: "other/", ..PLAIN }).unwrap();
    assert_eq!(both.document["Statement"].as_array().unwrap().len(), 4);
    assert_eq!(both.others, 2);
    assert_eq!(both.document["Statement"].as_array().unwrap()[..2], first["Statement"].as_array().unwrap()[..]);
}

#[test]
fn merging_again_changes_nothing_however_the_server_writes_it() {
    let scope = Scope { page: true, ..PLAIN };
    let merged = document(scope);
    assert!(!merge(Some(&merged.to_string()), scope).unwrap().changed);
    let mut rewritten = merged.clone();
    rewritten["Statement"][0]["Principal"] = json!({"AWS": "*"});
    rewritten["Statement"][0]["Action"] = json!(["s3:GetObject"]);
    rewritten["Statement"][0]["Resource"].as_array_mut().unwrap().reverse();
    rewritten["Statement"][1]["Resource"] = json!([rewritten["Statement"][1]["Resource"]]);
    rewritten["Statement"][1]["Condition"]["StringEquals"]["s3:prefix"] = json!(["checks/"]);
    assert!(!merge(Some(&rewritten.to_string()), scope).unwrap().changed);
    // Without the page, what an earlier run gave it stays.
    let kept = merge(Some(&merged.to_string()), PLAIN).unwrap();
    assert!(!kept.changed);
    assert_eq!(kept.document["Statement"].as_array().unwrap().len(), 3);
}

#[test]
fn a_changed_statement_of_ours_is_restored() {
    let mut policy = document(PLAIN);
    policy["Statement"][0]["Action"] = json!("s3:*");
    let merged = merge(Some(&policy.to_string()), PLAIN).unwrap();
    assert!(merged.changed);
    assert_eq!(merged.document, document(PLAIN));
}

#[test]
fn an_invalid_policy_is_not_overwritten() {
    for text in ["", "[]", "no", "<Policy/>"] {
        assert!(merge(Some(text), PLAIN).unwrap_err().starts_with("it is not JSON"), "{text}");
    }
    let old = r#"{"Version": "2008-10-17", "Statement": []}"#;
    assert!(merge(Some(old), Scope { prefix: "a*/", ..PLAIN }).unwrap_err().contains("Version"));
}
