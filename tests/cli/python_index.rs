//! Where interpreters to install come from: an index that the user names, and one made from pages of releases.

use std::fmt::Write as _;
use std::time::Duration;

use crate::support::{Fault, Site, TestContext, archive};

const GNU: &str = "x86_64-unknown-linux-gnu";
/// The list of releases.
const LIST: &str = "/o/p/releases";

/// A project with releases, as its pages show them.
struct Project {
    site: Site,
}

impl Project {
    /// Two pages of releases: two with fragments on the list, one that only its own page shows, one without checksums,
    /// one without files.
    fn new() -> Self {
        let project = Self { site: Site::start() };
        project.list(1, &["20250301", "20250201"], true);
        project.list(2, &["20250101", "20240101", "empty"], false);
        project.list(3, &[], true);
        let stripped = |version: &str| format!("{version}+D-{GNU}-install_only_stripped.tar.gz");
        let plain = |version: &str| format!("{version}+D-{GNU}-install_only.tar.gz");
        project.release("20250301", &[&stripped("3.13.2"), &plain("3.13.2"), &plain("3.14.0rc1")], true);
        project.release(
            "20250201",
            &[
                &stripped("3.13.2"),
                &format!("3.13.2+D-{GNU}-freethreaded-install_only_stripped.tar.gz"),
                "3.13.2+D-x86_64_v3-unknown-linux-gnu-install_only.tar.gz",
                &format!("3.13.2+D-{GNU}-debug-full.tar.zst"),
                "3.13.2+D-aarch64-apple-darwin-install_only.tar.gz",
            ],
            true,
        );
        project.release("20250101", &[&plain("3.14.0"), &stripped("3.12.9")], true);
        project.release("20240101", &[&plain("3.12.1")], false);
        project.site.put(&format!("{LIST}/tag/empty"), "<p>nothing here</p>");
        project
    }

    /// A page of the list; with fragments, or with links to the releases' own pages only.
    fn list(&self, number: u32, tags: &[&str], fragments: bool) {
        let mut page = String::from(
            "<!DOCTYPE html><html><body><a href='/o/p'>p</a><a href='https://elsewhere.example/o/p/releases/tag/x'>x</a>\n",
        );
        for tag in tags {
            writeln!(page, "<h2><a href=\"{LIST}/tag/{tag}\" class=\"Link\">{tag}</a></h2>").unwrap();
            if fragments {
                let whole = self.site.url(&format!("{LIST}/expanded_assets/{tag}"));
                writeln!(
                    page,
                    "<include-fragment loading=\"lazy\" src=\"{whole}\"><p>Loading</p></include-fragment>"
                )
                .unwrap();
            }
        }
        page += "<a rel=next href=\"?page=2\">Next</a></body></html>";
        self.site.put(&format!("{LIST}?page={number}"), page);
    }

    /// A release's own page and its fragment, with links to files. `D` in their names stands for the tag.
    fn release(&self, tag: &str, files: &[&str], with_sums: bool) {
        let folder = format!("{LIST}/download/{tag}");
        let (mut links, mut sums) = (String::from("<ul>"), String::new());
        for (number, file) in files.iter().enumerate() {
            let name = format!("cpython-{}", file.replace('D', tag));
            let mut link = format!("{folder}/{}", name.replace('+', "%2B"));
            if number % 2 == 1 {
                link = self.site.url(&link);
            }
            write!(links, "<li><a href=\"{link}\" rel=\"nofollow\"><span>{name}</span></a></li>").unwrap();
            writeln!(sums, "{}  {name}", hash(&name)).unwrap();
        }
        if with_sums {
            write!(links, "<a href='{folder}/SHA256SUMS'>SHA256SUMS</a>").unwrap();
            // Files are where the site says.
            self.site.redirect(&format!("{folder}/SHA256SUMS"), &self.site.url(&format!("/elsewhere/{tag}")));
            self.site.put(&format!("/elsewhere/{tag}"), sums);
        }
        self.site.put(&format!("{LIST}/expanded_assets/{tag}"), links);
        let fragment = format!("<include-fragment src='{LIST}/expanded_assets/{tag}'></include-fragment>");
        self.site.put(&format!("{LIST}/tag/{tag}"), format!("<h1>{tag}</h1>{fragment}"));
    }

    fn address(&self) -> String {
        self.site.url(LIST)
    }
}

fn hash(text: &str) -> String {
    archive::hex(&archive::sha256(text.as_bytes()))
}

/// The builds of an index, a line each: version, build, target, variant, whether the hash is right.
fn builds(text: &str) -> Vec<String> {
    let index: serde_json::Value = serde_json::from_str(text).unwrap();
    let field = |build: &serde_json::Value, name: &str| build[name].as_str().unwrap_or("-").to_owned();
    let line = |build: &serde_json::Value| {
        let url = field(build, "url");
        let name = url.rsplit('/').next().unwrap().replace("%2B", "+");
        let verified = match field(build, "sha256") {
            stated if stated == hash(&name) => "verified",
            stated if stated == "-" => "unverified",
            _ => "wrong",
        };
        let words = ["version", "build", "triple", "variant"].map(|name| field(build, name));
        let flavour = if url.contains("stripped") { "stripped" } else { "whole" };
        format!("{} {flavour} {verified}", words.join(" "))
    };
    index["builds"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn an_index_is_made_from_the_pages_of_releases() {
    let project = Project::new();
    let context = TestContext::new();
    let address = project.address();
    let arguments = ["python", "build-index", "--from", &address, "--triple", GNU, "--flat", "flat.json"];
    let output = context.virtpy(arguments).success();
    let expected = [
        "3.14.0 20250101 x86_64-unknown-linux-gnu default whole verified",
        "3.14.0rc1 20250301 x86_64-unknown-linux-gnu default whole verified",
        "3.13.2 20250301 x86_64-unknown-linux-gnu default stripped verified",
        "3.13.2 20250201 x86_64-unknown-linux-gnu freethreaded stripped verified",
        "3.12.9 20250101 x86_64-unknown-linux-gnu default stripped verified",
        "3.12.1 20240101 x86_64-unknown-linux-gnu default whole unverified",
    ];
    assert_eq!(builds(&output.raw_stdout), expected);
    let output =
        output.stderr_has("no release states the SHA-256 of 1 build, such as cpython-3.12.1+20240101");
    output.stderr_has("Chose 6 builds from 5 releases");
    let flat: serde_json::Value = serde_json::from_str(&context.read("flat.json")).unwrap();
    let keys: Vec<&String> = flat.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(
        flat["3.14.0"]
            .as_str()
            .unwrap()
            .contains("cpython-3.14.0%2B20250101-x86_64-unknown-linux-gnu-install")
    );
    // Only what is below the address was asked for, and what a redirect led to.
    let foreign = |path: &String| !path.starts_with(LIST) && !path.starts_with("/elsewhere/");
    let paths: Vec<String> = project.site.requests().into_iter().map(|request| request.path).collect();
    assert!(!paths.iter().any(foreign), "{paths:?}");
    assert!(!paths.iter().any(|path| path.contains(".tar.")), "{paths:?}");

    // Again, to a file, for all targets: the same bytes each time, and what no ordinary machine runs is left out.
    for file in ["one.json", "two.json"] {
        context.virtpy(["python", "build-index", "--from", &address, "-o", file]).success().stdout_is("");
    }
    assert_eq!(context.read("one.json"), context.read("two.json"));
    let all = builds(&context.read("one.json"));
    assert_eq!(all.len(), 7, "{all:?}");
    assert!(
        all.contains(&"3.13.2 20250201 aarch64-apple-darwin default whole verified".to_owned()),
        "{all:?}"
    );

    let output = context.virtpy(["python", "build-index", "--from", &address, "-o", "/dev/null"]);
    output.failure(1).one_error().stderr_has("`/dev/null` is not a file that could be replaced");

    // What was written can be read.
    let mut context = context;
    context.set("VIRTPY_PYTHON_INDEX_URL", context.path("one.json"));
    context.set("VIRTPY_PYTHON_ARCH", GNU);
    context.virtpy(["python", "update-index"]).success().stderr_has("6 builds for x86_64-unknown-linux-gnu");
    context.set("VIRTPY_PYTHON_INDEX_URL", "flat.json");
    context.virtpy(["python", "update-index"]).success().stderr_has("4 builds for x86_64-unknown-linux-gnu");
}

#[test]
fn a_number_of_pages_is_enough() {
    let project = Project::new();
    let context = TestContext::new();
    let output =
        context.virtpy(["python", "build-index", "--from", &project.address(), "--pages", "1"]).success();
    assert_eq!(builds(&output.raw_stdout).len(), 4);
    assert_eq!(project.site.count(&format!("{LIST}?page=2")), 0);
}

#[test]
fn a_list_ends_where_pages_repeat_or_are_missing() {
    let context = TestContext::new();
    let project = Project::new();
    project.site.remove(&format!("{LIST}?page=3"));
    let whole = context.virtpy(["python", "build-index", "--from", &project.address()]).success();
    assert_eq!(builds(&whole.raw_stdout).len(), 7);
    // A site that knows no pages shows the first one again.
    project.list(2, &["20250301", "20250201"], true);
    let first = context.virtpy(["python", "build-index", "--from", &project.address()]).success();
    assert_eq!(builds(&first.raw_stdout).len(), 4);
    assert_eq!(project.site.count(&format!("{LIST}/expanded_assets/20250301")), 2);
}

#[test]
fn a_passing_failure_is_passed_over() {
    let project = Project::new();
    project.site.fault(&format!("{LIST}/expanded_assets/20250301"), Fault::Status(500, 1));
    project.site.fault("/elsewhere/20250301", Fault::Status(503, 1));
    let context = TestContext::new();
    let output =
        context.virtpy(["python", "build-index", "--from", &project.address(), "--pages", "1"]).success();
    assert_eq!(builds(&output.raw_stdout).len(), 4);
    assert_eq!(project.site.count(&format!("{LIST}/expanded_assets/20250301")), 2);
}

#[test]
fn what_is_no_list_of_releases_is_one_error() {
    let mut context = TestContext::new();
    context.set("UV_HTTP_RETRIES", "0");
    let site = Site::start();
    site.put("/json?page=1", "{\"releases\": []}");
    site.put("/page?page=1", "<html><a href='/page/issues'>issues</a></html>");
    site.put("/other?page=1", "<a href='/other/tag/1'>1</a>");
    site.put("/other/tag/1", "<a href='/other/download/1/program.tar.gz'>program</a>");
    site.put("/broken?page=1", "<a href='/broken/tag/1'>1</a>");
    site.fault("/broken/tag/1", Fault::Status(500, 100));
    let cases = [
        (site.url("/json"), "is not a page of releases: it links to no release"),
        (site.url("/page"), "is not a page of releases: it links to no release"),
        (site.url("/other"), "its releases have no interpreters of the kind that is wanted"),
        (site.url("/missing"), "HTTP status 404"),
        (site.url("/broken"), "HTTP status 500"),
        (
            "http://127.0.0.1:1/releases".to_owned(),
            "could not reach `127.0.0.1:1`: the connection was refused",
        ),
        ("/srv/releases".to_owned(), "`/srv/releases` cannot be fetched"),
        ("ftp://x.example/releases".to_owned(), "only http and https pages can be read"),
    ];
    for (address, expected) in cases {
        let output = context.virtpy(["python", "build-index", "--from", &address, "-o", "index.json"]);
        output.failure(1).one_error().stderr_has(expected);
        assert!(!context.path("index.json").exists());
    }
}

#[test]
fn an_index_is_fetched_once_and_outlives_failures() {
    let site = Site::start();
    let mut context = TestContext::new();
    context.set("UV_HTTP_RETRIES", "0");
    context.set("ISOPY_INDEX_URL", site.url("/index.json"));
    context.set("ISOPY_ARCH", GNU);
    site.put("/index.json", "{\"3.12.11\": \"cpython.tar.gz\"}");
    context.virtpy(["python", "update-index"]).success().stderr_has("1 build for x86_64-unknown-linux-gnu");
    let cache = context.store().join("cache");
    let copies = || {
        let names = std::fs::read_dir(&cache).unwrap().map(|item| item.unwrap().path());
        let mut copies = names.filter(|path| path.to_string_lossy().contains("python-index"));
        let copy = copies.next().unwrap();
        assert_eq!(copies.next(), None);
        std::fs::read_to_string(copy).unwrap()
    };
    assert!(copies().contains("3.12.11"));
    for wrong in ["<html>log in</html>", "[]", "{\"3.12.11\": 7}", "{"] {
        site.put("/index.json", wrong);
        context.virtpy(["python", "update-index"]).failure(1).one_error().stderr_has("cannot be used");
        assert!(copies().contains("3.12.11"), "{wrong}");
    }
    site.fault("/index.json", Fault::Status(500, 100));
    context.virtpy(["python", "update-index"]).failure(1).one_error().stderr_has("HTTP status 500");
    site.fault("/index.json", Fault::HangUpAfter(50));
    context
        .virtpy(["python", "update-index"])
        .failure(1)
        .one_error()
        .stderr_has("did not arrive as it should");
    context.set("UV_HTTP_TIMEOUT", "1");
    site.fault("/index.json", Fault::Slow(Duration::from_secs(3)));
    context.virtpy(["python", "update-index"]).failure(1).one_error();
    assert!(copies().contains("3.12.11"));
}

#[test]
fn without_an_index_the_own_one_is_used() {
    let context = TestContext::new();
    context.virtpy(["python", "update-index"]).success().stderr_has("the one that is part of virtpy is used");
}

#[test]
fn variables_that_make_no_sense_are_named() {
    for (name, value) in [
        ("VIRTPY_PYTHON_INDEX_URL", "ftp://x.example/index.json"),
        ("ISOPY_INDEX_URL", "/nowhere/index.json"),
        ("ISOPY_CACHE_TTL", "soon"),
        ("ISOPY_ARCH", "x86_64 or so"),
    ] {
        let mut context = TestContext::new();
        context.set("ISOPY_INDEX_URL", "/nowhere/at/all.json");
        context.set(name, value);
        context.virtpy(["python", "update-index"]).failure(1).one_error().stderr_has(value);
    }
}

#[test]
fn credentials_go_to_the_index_and_nowhere_else() {
    let (site, other) = (Site::start(), Site::start());
    other.put("/index.json", "{\"3.12.11\": \"cpython.tar.gz\"}");
    site.redirect("/index.json", &other.url("/index.json"));
    let mut context = TestContext::new();
    context.set("VIRTPY_PYTHON_INDEX_URL", site.url("/index.json").replace("//", "//alice:S3KR3T@"));
    let output = context.virtpy(["python", "update-index", "-v"]).success();
    assert!(!output.raw_stderr.contains("S3KR3T"), "{}", output.dump());
    assert!(site.requests().iter().any(|request| request.authorization.is_some()));
    assert!(other.requests().iter().all(|request| request.authorization.is_none()));
    assert_eq!(other.requests().len(), 1);
    let found = context.run(context.command("grep").args(["-rlF", "S3KR3T"]).arg(context.root()));
    assert_eq!(found.code, Some(1), "{}", found.dump());
}
