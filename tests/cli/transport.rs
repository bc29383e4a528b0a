//! Certificates, redirects and credentials on the way to an index: who is believed, and what is told to whom.

use crate::credentials::{SECRET, is_nowhere, lacks_secret};
use crate::support::{Fault, Index, TestContext, TlsFront, WheelBuilder, skip};

const DEMO: &str = "demo-1.0-py3-none-any.whl";

fn demo_index() -> Index {
    Index::start(&[WheelBuilder::new("demo", "1.0").build()])
}

/// An index that is reached by HTTPS only, and a venv; none where `openssl` is missing.
fn secure(self_signed: bool) -> Option<(TestContext, Index, TlsFront)> {
    let (mut context, index) = (TestContext::new(), demo_index());
    // The machine's own settings may name certificates.
    context.set("PIP_CONFIG_FILE", "/dev/null");
    let front =
        if self_signed { TlsFront::self_signed(&context, &index) } else { TlsFront::start(&context, &index) };
    let Some(front) = front else {
        skip("this machine has no openssl");
        return None;
    };
    index.files_at(&front.base());
    context.new_venv();
    Some((context, index, front))
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    for self_signed in [false, true] {
        let Some((context, index, front)) = secure(self_signed) else { return };
        let before = context.venv_tree(".venv");
        let output = context.virtpy(["add", "--index-url", &front.url(), "demo"]).one_error();
        output.stderr_has("certificate").stderr_has("PIP_CERT").stderr_has("SSL_CERT_FILE");
        assert_eq!(index.requests(), [""; 0], "something was asked of a server that is not trusted");
        assert_eq!(context.venv_tree(".venv"), before);
        // A file by its address is asked for by another way.
        let address = format!("demo @ {}/files/{DEMO}", front.base());
        let output = context.virtpy(["add", "--no-index", &address]).one_error();
        output.stderr_has("certificate").stderr_has("PIP_CERT");
        assert_eq!(index.requests(), [""; 0]);
    }
}

#[test]
fn an_authority_of_ones_own_is_believed() {
    let Some((mut context, index, front)) = secure(false) else { return };
    for (number, name) in
        ["SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"].into_iter().enumerate()
    {
        let venv = format!("venv{number}");
        context.new_named_venv(&venv);
        context.set(name, front.authority());
        let arguments = ["add", "--venv", &venv, "--index-url", &front.url(), "demo"];
        context.virtpy(arguments).success().stdout_is(" + demo 1.0\n");
        context.unset(name);
        std::fs::remove_dir_all(context.store().join("cache")).unwrap();
    }
    assert_eq!(index.downloads(DEMO), 1);
    // A file of pip's names one as well; a variable is stronger, here with an authority that did not sign.
    let settings = format!("[global]\ncert = {}\n", front.authority().display());
    context.set("PIP_CONFIG_FILE", context.write("pip.conf", &settings));
    context.new_named_venv("by-file");
    let arguments = ["add", "--venv", "by-file", "--index-url", &front.url(), "demo"];
    context.set("SSL_CERT_FILE", front.authority().with_file_name("self.pem"));
    context.virtpy(arguments).one_error().stderr_has("certificate");
    context.unset("SSL_CERT_FILE");
    context.virtpy(arguments).success();
}

#[test]
fn a_certificate_is_believed_for_its_own_host_only() {
    let Some((mut context, index, front)) = secure(false) else { return };
    context.set("PIP_CERT", front.authority());
    let other = front.url().replace("127.0.0.1", "localhost");
    let output = context.virtpy(["add", "--index-url", &other, "demo"]).one_error();
    output.stderr_has("certificate").stderr_has("localhost");
    assert_eq!(index.requests(), [""; 0]);
}

#[test]
fn what_a_trusted_host_shows_is_not_looked_at() {
    let Some((mut context, _index, front)) = secure(true) else { return };
    context.set("PIP_TRUSTED_HOST", "another.example");
    context.virtpy(["add", "--index-url", &front.url(), "demo"]).one_error();
    context.set("PIP_TRUSTED_HOST", format!("127.0.0.1:{}", front.port()));
    context.virtpy(["add", "--index-url", &front.url(), "demo"]).success();
}

#[test]
fn a_redirect_does_not_lead_from_https_to_http() {
    let Some((mut context, index, front)) = secure(false) else { return };
    context.set("PIP_CERT", front.authority());
    let open = demo_index();
    index.page_fault("demo", Fault::Redirect(format!("{}demo/", open.url())));
    let output = context.virtpy(["add", "--index-url", &front.url(), "demo"]).one_error();
    output.stderr_has("redirect").stderr_has(&format!("http://127.0.0.1:{}", open.port()));
    assert_eq!(open.requests(), [""; 0]);
    // Whoever wants that says so.
    context.set("PIP_TRUSTED_HOST", format!("127.0.0.1:{}", open.port()));
    context.virtpy(["add", "--index-url", &front.url(), "demo"]).success();
}

#[test]
fn a_redirect_in_a_circle_ends() {
    let (context, index) = (TestContext::new(), demo_index());
    context.new_venv();
    index.page_fault("demo", Fault::Redirect("/simple/demo/".to_owned()));
    context.add(&index, &["demo"]).one_error().stderr_has("redirect");
    assert!(index.requests().len() < 50, "{} requests", index.requests().len());
    index.page_fault("demo", Fault::Status(500, 0));
    index.forget_requests();
    index.fault(DEMO, Fault::Redirect(format!("/files/{DEMO}")));
    context.add(&index, &["demo"]).one_error().stderr_has("redirect");
    assert!(index.requests().len() < 50, "{} requests", index.requests().len());
    assert_eq!(context.store_entries(), [""; 0]);
}

/// An index that wants credentials and sends everybody on to `other` for pages and files.
fn index_that_redirects_to(other: &str) -> Index {
    let index = demo_index();
    index.require_credentials(&format!("alice:{SECRET}"));
    index.page_fault("demo", Fault::Redirect(format!("{other}/simple/demo/")));
    index.fault(DEMO, Fault::Redirect(format!("{other}/files/{DEMO}")));
    index
}

#[test]
fn credentials_do_not_follow_a_redirect() {
    // To another port, and to another host.
    for host in ["127.0.0.1", "localhost"] {
        let other = demo_index();
        let index = index_that_redirects_to(&format!("http://{host}:{}", other.port()));
        let context = TestContext::new();
        let address = index.url_with_credentials(&format!("alice:{SECRET}"));
        context.new_named_venv("one");
        let arguments = ["add", "-v", "--venv", "one", "--index-url", &address, "demo"];
        lacks_secret(context.virtpy(arguments).success());
        let file = format!("demo @ {}", address.replace("/simple/", &format!("/files/{DEMO}")));
        context.new_named_venv("two");
        lacks_secret(context.virtpy(["add", "-v", "--venv", "two", "--no-index", &file]).success());
        assert!(other.requests().len() > 1, "{:?}", other.requests());
        assert_eq!(other.authorizations(), [""; 0], "told to {host}: {:?}", other.requests());
        is_nowhere(&context);
    }
}

#[test]
fn credentials_do_not_go_to_another_host_with_the_files() {
    let (index, files) = (demo_index(), demo_index());
    index.require_credentials(&format!("alice:{SECRET}"));
    index.files_at(&format!("http://localhost:{}", files.port()));
    let context = TestContext::new();
    context.new_venv();
    let address = index.url_with_credentials(&format!("alice:{SECRET}"));
    lacks_secret(context.virtpy(["add", "-v", "--index-url", &address, "demo"]).success());
    assert_eq!(files.downloads(DEMO), 1);
    assert_eq!(files.authorizations(), [""; 0]);
    assert!(!index.authorizations().is_empty());
    is_nowhere(&context);
}

#[test]
fn a_password_from_netrc_or_pip_conf_goes_to_its_host_only() {
    for from_netrc in [true, false] {
        let other = demo_index();
        let index = index_that_redirects_to(&format!("http://localhost:{}", other.port()));
        let mut context = TestContext::new();
        context.new_venv();
        // Not among the files that are searched for the password afterwards.
        let settings = tempfile::NamedTempFile::new().unwrap();
        let address = if from_netrc {
            let text = format!("machine 127.0.0.1\nlogin alice\npassword {SECRET}\n");
            std::fs::write(settings.path(), text).unwrap();
            context.set("NETRC", settings.path());
            index.url()
        } else {
            index.url_with_credentials(&format!("alice:{SECRET}"))
        };
        if !from_netrc {
            std::fs::write(settings.path(), format!("[global]\nindex-url = {address}\n")).unwrap();
            context.set("PIP_CONFIG_FILE", settings.path());
        }
        let mut arguments = vec!["add", "-v", "demo"];
        if from_netrc {
            arguments.extend(["--index-url", &address]);
        }
        lacks_secret(context.virtpy(arguments).success());
        assert!(!index.requests().is_empty() && !other.requests().is_empty());
        assert_eq!(other.authorizations(), [""; 0], "{:?}", other.requests());
        is_nowhere(&context);
    }
}

#[test]
fn another_file_than_the_index_lists_is_refused_whatever_the_way() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let mut other = WheelBuilder::new("demo", "1.0").file("demo/evil.py", "evil = 1\n").build();
    for same_size in [false, true] {
        if same_size {
            other.bytes = wheel.bytes.iter().map(|byte| byte ^ 1).collect();
        }
        let index = Index::start(std::slice::from_ref(&wheel));
        index.require_credentials(&format!("alice:{SECRET}"));
        index.fault(DEMO, Fault::OtherBytes(other.bytes.clone()));
        let context = TestContext::new();
        context.new_venv();
        let before = context.venv_tree(".venv");
        let address = index.url_with_credentials(&format!("alice:{SECRET}"));
        let output = lacks_secret(context.virtpy(["add", "-v", "--index-url", &address, "demo"]).one_error());
        output.stderr_has("demo").stderr_has("hash");
        let file = address.replace("/simple/", &format!("/files/{DEMO}"));
        let pinned = format!("demo @ {file}#sha256={}", wheel.sha256());
        lacks_secret(context.virtpy(["add", "-v", "--no-index", &pinned]).one_error());
        assert_eq!(context.venv_tree(".venv"), before);
        assert_eq!(context.store_entries(), [""; 0]);
        context.assert_no_leftovers();
        is_nowhere(&context);
    }
}
