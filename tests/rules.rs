//! Rules about the repository itself: who may import whom, and lists in the docs that must agree with the code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Code without comments and without the tests at a file's end.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn assert_never(folders: &[&str], forbidden: &[&str], why: &str) {
    for folder in folders {
        let path = root().join(folder);
        let files = if path.is_dir() { rust_files(&path) } else { vec![path] };
        assert!(!files.is_empty());
        for file in files {
            let code = code(&file);
            for word in forbidden {
                assert!(!code.contains(word), "{} names `{word}`: {why}", file.display());
            }
        }
    }
}

/// The modules of its own crate that code names: `crate::model::…`, and each of `crate::{model, sending::…}`.
fn own_modules(code: &str) -> BTreeSet<String> {
    let word =
        |text: &str| text.trim_start().split(|c: char| !(c.is_alphanumeric() || c == '_')).next().map(str::to_owned);
    let mut found = BTreeSet::new();
    for (at, name) in code.match_indices("crate::") {
        let rest = &code[at + name.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.extend(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0, 0);
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    found.extend(word(&group[start..at]));
                    start = at + 1;
                    if character == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn groups_of_imports_are_understood() {
    let code = "use crate::{sending::{claim, retry}, ids::AppId};\nuse crate::model::App; crate::tasks::f()";
    let found: Vec<String> = own_modules(code).into_iter().collect();
    assert_eq!(found, ["ids", "model", "sending", "tasks"]);
}

/// What Cargo can't hold, since these are rooms of one crate.
#[test]
fn ids_and_models_import_nothing_of_ours() {
    let assert_imports = |file: &Path, allowed: &[&str]| {
        let allowed = allowed.iter().map(|&name| name.to_owned()).collect();
        let others = &own_modules(&code(file)) - &allowed;
        assert!(others.is_empty(), "{} imports {others:?}: ids and models come first", file.display());
    };
    assert_imports(&root().join("domain/src/timestamp.rs"), &[]);
    assert_imports(&root().join("domain/src/entropy.rs"), &["timestamp"]);
    assert_imports(&root().join("domain/src/ids.rs"), &["entropy", "timestamp"]);
    for file in rust_files(&root().join("domain/src/model")) {
        assert_imports(&file, &["entropy", "ids", "timestamp", "model"]);
    }
}

/// Two `super` could climb out of a room unseen by the rules about rooms.
#[test]
fn paths_that_climb_far_begin_at_the_crate() {
    assert_never(&["domain/src", "shared/src", "functions"], &["super::super"], "say `crate::…`");
}

#[test]
fn the_domain_waits_for_nobody_reads_no_clock_and_draws_nothing() {
    assert_never(&["domain/src"], &["async fn", ".await"], "I/O is somebody else's");
    assert_never(&["domain/src"], &["Instant::now", "SystemTime::now"], "time is an argument");
}

#[test]
fn there_is_one_clock() {
    for file in ["shared/src", "functions", "local/src", "operator/src"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
    {
        let is_it = file.ends_with("shared/src/system.rs");
        assert!(is_it || !code(&file).contains("SystemTime::now"), "{} has a clock of its own", file.display());
    }
}

/// `docs/REFERENCE.md, 4.2 and 4.3`: each number named has a heading of its own.
#[test]
fn what_code_cites_stands_in_the_reference() {
    let reference = std::fs::read_to_string(root().join("docs/REFERENCE.md")).unwrap();
    let is_there = |number: &str| {
        reference.lines().any(|line| {
            let heading = line.trim_start_matches('#').trim_start();
            line.starts_with('#')
                && heading.split_whitespace().next().is_some_and(|n| n.trim_end_matches('.') == number)
        })
    };
    let folders = ["domain/src", "shared/src", "functions", "local/src", "tests/e2e"];
    let mut cited = 0;
    for file in folders.iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (at, name) in text.match_indices("docs/REFERENCE.md, ") {
            let rest = text[at + name.len()..].split(['(', ')', ';', ':']).next().unwrap();
            let numbers = rest.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|n| n.trim_matches('.'));
            for number in numbers.filter(|number| !number.is_empty()).take(2) {
                assert!(is_there(number), "{} cites {number}, which is no section", file.display());
                cited += 1;
            }
        }
    }
    assert!(cited > 30, "{cited} citations were found");
}

/// Pages name files by their paths from the root, in backticks.
#[test]
fn files_that_pages_name_exist() {
    let tops: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir() && entry.file_name() != "target")
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let mut pages: Vec<PathBuf> = vec![root().join("README.md"), root().join("events/README.md")];
    pages.extend(std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    let (mut named, mut missing) = (0, Vec::new());
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for path in text.split('`').skip(1).step_by(2) {
            let is_a_path = path.split_once('/').is_some_and(|(top, _)| tops.iter().any(|name| name == top));
            if !is_a_path || path.contains(['<', '{', '*', '…', ' ', '$']) {
                continue;
            }
            // `line` is the channel that a page tells how to add: the folder that it will lie in must be there.
            let path = ["/line/", "/send_line/"].iter().find_map(|new| path.split_once(new)).map_or(path, |(is, _)| is);
            named += 1;
            if !root().join(path.trim_end_matches('/')).exists() {
                missing.push(format!("{}: {path}", page.file_name().unwrap().display()));
            }
        }
    }
    assert!(named > 50, "{named} paths were found");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn only_store_queue_files_and_secrets_name_an_aws_sdk() {
    // What deals with no files must not link S3's client, so each SDK has one home.
    let homes = [
        ("/store/", "aws_sdk_dynamodb"),
        ("/queue.rs", "aws_sdk_sqs"),
        ("/files.rs", "aws_sdk_s3"),
        ("/secrets/", "aws_sdk_secretsmanager"),
    ];
    for file in rust_files(&root().join("shared/src")) {
        let own = homes.iter().filter(|(home, _)| file.to_str().unwrap().contains(home));
        let code = own.fold(code(&file), |code, (_, sdk)| code.replace(sdk, ""));
        assert!(!code.contains("aws_sdk_"), "{} names another's AWS SDK", file.display());
    }
}

#[test]
fn only_http_names_reqwest() {
    for file in rust_files(&root().join("shared/src")) {
        let is_http = file.ends_with("shared/src/http.rs");
        assert!(is_http || !code(&file).contains("reqwest"), "{} names reqwest", file.display());
    }
}

/// The names in a manifest's `[dependencies]`: what tests and build scripts need besides is no part of what ships.
fn dependencies(of: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join(of).join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[").find_map(|section| section.strip_prefix("dependencies]\n")).unwrap();
    let name = |line: &str| line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()).map(str::to_owned);
    section.lines().filter(|line| !line.starts_with('#')).filter_map(name).collect()
}

/// What a crate depends on, it may name: the rest is Cargo's to refuse.
#[test]
fn no_crate_depends_on_what_is_another_layers() {
    let io = ["tokio", "futures", "aws", "lambda", "reqwest", "shared", "local", "rand", "getrandom"];
    for (of, forbidden) in [("domain", &io[..]), ("shared", &["local"]), ("functions", &["aws-", "reqwest", "local"])] {
        let names = dependencies(of);
        assert!(names.len() > 5, "{of}: {names:?}");
        let wrong: Vec<_> = names.iter().filter(|name| forbidden.iter().any(|word| name.starts_with(word))).collect();
        assert!(wrong.is_empty(), "{of} depends on {wrong:?}");
    }
}

fn function_folders() -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.join("main.rs").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_function_has_a_folder_a_binary_and_a_block_in_the_template() {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let manifest = std::fs::read_to_string(root().join("functions/Cargo.toml")).unwrap();
    let in_template: BTreeSet<String> = template
        .match_indices("Binary: ")
        .map(|(at, word)| template[at + word.len()..].split([' ', '\n', '}']).next().unwrap().to_owned())
        .collect();
    assert_eq!(function_folders(), in_template);
    for name in function_folders() {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} has no [[bin]]");
    }
}

/// `context.rs` → the parts of the work → `handler.rs`, which `main.rs` runs: no circles.
#[test]
fn only_main_names_a_functions_handler() {
    for name in function_folders() {
        let files = rust_files(&root().join("functions").join(&name));
        for file in files.iter().filter(|file| !file.ends_with("main.rs")) {
            assert!(!own_modules(&code(file)).contains("handler"), "{} imports the handler", file.display());
        }
    }
}

#[test]
fn a_functions_unit_tests_are_run_if_it_holds_any() {
    let manifest = std::fs::read_to_string(root().join("functions/Cargo.toml")).unwrap();
    for name in function_folders() {
        let block = manifest.split("[[bin]]").find(|block| block.contains(&format!("name = \"{name}\"\n"))).unwrap();
        let files = rust_files(&root().join("functions").join(&name));
        let holds_tests = files.iter().any(|file| std::fs::read_to_string(file).unwrap().contains("#[cfg(test)]"));
        assert_eq!(!block.contains("test = false"), holds_tests, "{name}");
    }
}

/// The words in backticks that begin a table's rows.
fn listed(document: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
    let first = |line: &str| line.strip_prefix("| `")?.split('`').next().map(str::to_owned);
    text.lines().filter_map(first).collect()
}

#[test]
fn every_error_code_and_failure_code_is_documented() {
    let listed = listed("docs/ERRORS.md");
    for code in shared::model::ErrorCode::ALL {
        assert!(listed.contains(code.as_str()), "docs/ERRORS.md lacks {}", code.as_str());
    }
    for code in shared::model::FailureCode::ALL {
        assert!(listed.contains(code.as_str()), "docs/ERRORS.md lacks {}", code.as_str());
    }
}

#[test]
fn every_metric_is_documented_and_every_documented_one_exists() {
    let listed = listed("docs/OPERATIONS.md");
    for metric in shared::telemetry::Metric::ALL {
        assert!(listed.contains(metric.as_str()), "docs/OPERATIONS.md lacks {}", metric.as_str());
    }
}

#[test]
fn every_parameter_and_variable_of_the_template_is_documented() {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let parameters = template.split_once("\nParameters:\n").unwrap().1.lines();
    let parameters = parameters.take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let names = parameters.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    let operations = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).unwrap();
    for name in names.filter(|name| !name.starts_with(' ')) {
        assert!(operations.contains(&format!("`{name}`")), "docs/OPERATIONS.md lacks {name}");
    }
}

#[test]
fn every_route_is_documented_with_those_who_may_call_it_and_no_other_is() {
    let text = std::fs::read_to_string(root().join("docs/API.md")).unwrap();
    let row = |line: &str| {
        let (route, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let who = rest.split(" |").next()?;
        route.contains(" /v1.1/").then(|| (route.to_owned(), who.to_owned()))
    };
    let documented: BTreeSet<_> = text.split("### Not served").next().unwrap().lines().filter_map(row).collect();
    let served = shared::api::routes::ROUTES.iter().map(|route| {
        let who = format!("{:?}", route.access).to_lowercase();
        (format!("{} /v1.1{}", route.method, route.path), who)
    });
    assert_eq!(documented, served.collect());
}

fn read(document: &str) -> String {
    std::fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

#[test]
fn the_readmes_figures_are_the_benchs() {
    let (benches, readme) = (read("docs/BENCHMARKS.md"), read("README.md"));
    let at_full_batches = |row: &str| {
        let cells = benches.lines().find(|line| line.starts_with(&format!("| {row}"))).map(|line| line.split('|'));
        cells.and_then(|mut cells| cells.nth(3)).unwrap_or_else(|| panic!("no row {row}")).trim().to_owned()
    };
    for (row, said) in [
        ("Lambda invocations", " invocations"),
        ("SQS requests", " SQS requests"),
        ("dollars per million", " per million"),
    ] {
        let wanted = at_full_batches(row) + said;
        assert!(readme.contains(&wanted), "README.md does not say {wanted}");
    }
}

#[test]
fn the_readme_names_every_type_of_integration_that_is_kept() {
    let readme = read("README.md");
    let row = readme.lines().find(|line| line.starts_with("| channels that carry messages")).unwrap();
    for kind in shared::model::IntegrationType::ALL {
        let (name, channel) = (format!("`{}`", kind.as_str()), kind.as_str().to_owned());
        assert!(row.contains(&name) || row.to_lowercase().contains(&channel), "README.md lacks {name}");
    }
}
