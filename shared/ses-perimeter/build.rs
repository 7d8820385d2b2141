//! Turns the facts of `data/` into Rust statics: the action table (`build/table.rs`) and the other
//! lists (`build/facts.rs`).
//!
//! A word that no type of ours stands for stops the build, with the file and the entry. That the
//! facts agree with each other is held by `tests/facts_checks`.
#![allow(
    clippy::disallowed_methods,
    reason = "a build script reads its file and is told where to write"
)]

#[path = "build/facts.rs"]
pub mod facts;
#[path = "build/report.rs"]
pub mod report;
#[path = "build/table.rs"]
pub mod table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs\ncargo:rerun-if-changed=build");
    type Compile = fn(&str) -> Result<String, Vec<String>>;
    let files: [(&str, &str, Compile); 4] = [
        (facts::KEYS, "condition_keys.rs", facts::keys),
        (table::FILE, "ses_actions.rs", table::compile),
        (facts::PREFIXES, "service_prefixes.rs", facts::prefixes),
        (facts::REGIONS, "regions.rs", facts::regions),
    ];
    for (file, rust, compile) in files {
        println!("cargo:rerun-if-changed={file}");
        let text = std::fs::read_to_string(folder.join(file))
            .map_err(|error| format!("cannot read {file}: {error}"))?;
        let made = compile(&text).map_err(|problems| problems.join("\n"))?;
        std::fs::write(out.join(rust), made)
            .map_err(|error| format!("cannot write {rust}: {error}"))?;
    }
    Ok(())
}
