//! The SBOM, in the format CycloneDX 1.5: <https://cyclonedx.org/docs/1.5/json/>. Without a serial
//! number and a time, which the format leaves free, the same build has the same SBOM.

use crate::packages::{Id, Package, Packages};

/// What is linked besides packages, and into what.
pub(crate) struct Foundation<'a> {
    pub(crate) target: &'a str,
    /// SHA-256 of the handler, in hexadecimal.
    pub(crate) sha256: &'a str,
    /// The release of Rust whose standard library is linked.
    pub(crate) rust_version: &'a str,
    /// Name and, where it is known, version of the C library that is linked statically.
    pub(crate) c_library: &'a [&'a str],
}

/// The whole document, one component a line.
pub(crate) fn json(packages: &Packages, foundation: &Foundation) -> String {
    let root = &packages.all[&packages.root];
    let others = packages.all.iter().filter(|(id, _)| **id != packages.root);
    let components: Vec<String> = others
        .map(|(id, package)| component(id, package))
        .chain(libraries(foundation))
        .collect();
    let edges: Vec<String> = packages
        .all
        .iter()
        .map(|(id, package)| edges(packages, foundation, id, package))
        .collect();
    format!(
        r#"{{
  "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {{
    "component": {{"type": "application", "bom-ref": {reference}, "name": {name}, "version": {version}, "hashes": [{{"alg": "SHA-256", "content": {sha256}}}], "licenses": [{{"expression": {licence}}}]}},
    "properties": [{{"name": "target", "value": {target}}}]
  }},
  "components": [
    {components}
  ],
  "dependencies": [
    {edges}
  ]
}}
"#,
        reference = reference(packages, &packages.root),
        name = text(&packages.root.0),
        version = text(&packages.root.1),
        sha256 = text(foundation.sha256),
        licence = text(&root.licence),
        target = text(foundation.target),
        components = components.join(",\n    "),
        edges = edges.join(",\n    "),
    )
}

/// A package that only runs while the handler is built is listed with the scope "excluded".
fn component(id: &Id, package: &Package) -> String {
    let purl = text(&purl(id));
    let (name, version, licence) = (text(&id.0), text(&id.1), text(&package.licence));
    let scope = if package.is_linked {
        "required"
    } else {
        "excluded"
    };
    let mut component = format!(
        r#"{{"type": "library", "bom-ref": {purl}, "name": {name}, "version": {version}, "scope": "{scope}", "licenses": [{{"expression": {licence}}}], "purl": {purl}"#
    );
    if let Some(checksum) = &package.locked.checksum {
        component += &format!(
            r#", "hashes": [{{"alg": "SHA-256", "content": {}}}]"#,
            text(checksum)
        );
    }
    if !package.repository.is_empty() {
        let repository = text(&package.repository);
        component +=
            &format!(r#", "externalReferences": [{{"type": "vcs", "url": {repository}}}]"#);
    }
    component + "}"
}

/// The libraries that every Rust program brings along.
fn libraries(foundation: &Foundation) -> Vec<String> {
    let rust = format!("pkg:generic/rust@{}", foundation.rust_version);
    let mut libraries = vec![library("rust-std", Some(foundation.rust_version), &rust)];
    if let [name, version @ ..] = foundation.c_library {
        let version = version.first().copied();
        let purl = version.map_or(format!("pkg:generic/{name}"), |version| {
            format!("pkg:generic/{name}@{version}")
        });
        libraries.push(library(name, version, &purl));
    }
    libraries
}

fn library(name: &str, version: Option<&str>, purl: &str) -> String {
    let (name, reference, purl) = (text(name), text(name), text(purl));
    let version = version.map_or(String::new(), |version| {
        format!(r#""version": {}, "#, text(version))
    });
    format!(
        r#"{{"type": "library", "bom-ref": {reference}, "name": {name}, {version}"scope": "required", "purl": {purl}}}"#
    )
}

fn edges(packages: &Packages, foundation: &Foundation, id: &Id, package: &Package) -> String {
    let mut needs: Vec<String> = package
        .needs
        .iter()
        .map(|need| reference(packages, need))
        .collect();
    if *id == packages.root {
        needs.push(text("rust-std"));
        needs.extend(foundation.c_library.first().map(|name| text(name)));
    }
    format!(
        r#"{{"ref": {}, "dependsOn": [{}]}}"#,
        reference(packages, id),
        needs.join(", ")
    )
}

/// The handler is in no registry, so it has no package URL.
fn reference(packages: &Packages, id: &Id) -> String {
    if *id == packages.root {
        text(&format!("{}@{}", id.0, id.1))
    } else {
        text(&purl(id))
    }
}

fn purl(id: &Id) -> String {
    format!("pkg:cargo/{}@{}", id.0, id.1.replace('+', "%2B"))
}

/// A JSON string.
fn text(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c.is_control() => json += &format!("\\u{:04x}", u32::from(c)),
            c => json.push(c),
        }
    }
    json + "\""
}
