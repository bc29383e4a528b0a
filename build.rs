//! Links the program at a fixed address on Linux, and without the names of its functions.
//!
//! It is large, mostly because of the resolver, and a position-independent program spends more time on adjusting its
//! own tables at every start than most commands take: 5 ms instead of 2. Libraries, stack and heap stay randomised.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        // The profile asks for it too, but Cargo forgets that where a package has an optimisation of its own: 20 of 86 MB.
        if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
            println!("cargo:rustc-link-arg-bins=-Wl,--strip-all");
        }
    }
}
