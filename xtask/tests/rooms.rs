//! ARCHITECTURE.md's tables of rooms say what each module may use. This holds them against the `use` lines.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Uses = BTreeMap<String, BTreeSet<String>>;

/// Crates that have a table.
const CRATES: [&str; 4] = ["ca-pool", "signer-core", "signer-manager", "signerctl"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What stands between backticks.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The rows of a crate's table.
fn told(architecture: &str, of: &str) -> Uses {
    let section = architecture.split(&format!("### The rooms of {of}\n")).nth(1).unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let mut uses = Uses::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').collect();
        let [_, modules, _, may_use, _] = cells[..] else { panic!("{row}") };
        for module in names(modules) {
            assert!(uses.insert(module.clone(), names(may_use)).is_none(), "{of}: {module} has two rows");
        }
    }
    uses
}

/// What the modules of a crate use of each other. Tests apart.
fn found(source: &Path) -> Uses {
    let mut uses = Uses::new();
    let mut directories = vec![source.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let of_source = path.strip_prefix(source).unwrap();
            let first = of_source.components().next().unwrap().as_os_str().to_str().unwrap();
            let module = first.trim_end_matches(".rs").to_owned();
            let is_test = of_source.components().any(|part| {
                ["tests", "tests.rs", "golden.rs", "documented.rs"]
                    .iter()
                    .any(|name| part.as_os_str() == *name)
            });
            if is_test || ["lib", "main"].contains(&module.as_str()) {
                continue;
            }
            let used = used_in(&fs::read_to_string(&path).unwrap());
            let of_module = uses.entry(module.clone()).or_default();
            of_module.extend(used.into_iter().filter(|other| *other != module));
        }
    }
    uses
}

/// The first names behind `crate::`.
fn used_in(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut used = BTreeSet::new();
    for behind in code.split("crate::").skip(1) {
        match behind.strip_prefix('{') {
            None => _ = used.insert(first_name(behind)),
            Some(list) => {
                let mut depth = 0;
                let mut item = String::new();
                for character in list.chars() {
                    match character {
                        '}' if depth == 0 => break,
                        ',' if depth == 0 => {
                            used.insert(first_name(&item));
                            item.clear();
                            continue;
                        }
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    item.push(character);
                }
                used.insert(first_name(&item));
            }
        }
    }
    used.remove("");
    used
}

fn first_name(path: &str) -> String {
    path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Names of the crate's root stand for their modules in no table.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
}

#[test]
fn each_module_uses_what_its_row_says() {
    let architecture = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    for name in CRATES {
        let directories = ["crates", "cmd"].map(|group| repository().join(group).join(name).join("src"));
        let source = directories.iter().find(|source| source.exists()).unwrap();
        let (told, found) = (told(&architecture, name), found(source));
        let modules = |uses: &Uses| uses.keys().cloned().collect::<Vec<_>>();
        assert_eq!(modules(&told), modules(&found), "{name}: the modules");
        for (module, used) in &found {
            let used: BTreeSet<&String> = used.iter().filter(|used| is_module(used)).collect();
            assert_eq!(told[module].iter().collect::<BTreeSet<_>>(), used, "{name}: {module} uses");
        }
    }
}

#[test]
fn nothing_points_back() {
    let architecture = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    for name in CRATES {
        let uses = told(&architecture, name);
        for module in uses.keys() {
            let mut reached = BTreeSet::new();
            let mut next = vec![module];
            while let Some(one) = next.pop() {
                next.extend(
                    uses.get(one).into_iter().flatten().filter(|used| reached.insert((*used).clone())),
                );
            }
            assert!(!reached.contains(module), "{name}: {module} uses itself by way of {reached:?}");
        }
    }
}

#[test]
fn lists_of_uses_are_taken_apart() {
    let text =
        "use crate::{\n    api::{A, B},\n    clock::Clock, // crate::no\n};\nfn f() { crate::timer::g() }";
    assert_eq!(used_in(text).into_iter().collect::<Vec<_>>(), ["api", "clock", "timer"]);
}
