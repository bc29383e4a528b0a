//! What holds of the plan of every venv, tried with distributions by the thousand.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::testing::{LoadedSamples, Sample, layout, modes, sets};

/// A file that a distribution has for the venv.
struct Claim {
    /// Where it belongs.
    path: String,
    /// Whose it is.
    member: usize,
    /// Where its bytes are; for an entry point, what it is called.
    source: Source,
}

#[derive(Debug, PartialEq)]
enum Source {
    /// A file of the entry: as it is.
    File(PathBuf),
    /// A script, with the venv's interpreter line.
    Script(PathBuf),
    /// Nothing in the store: it is written.
    EntryPoint,
}

/// Everything that distributions have for a venv, in their order.
fn claims(samples: &[Sample]) -> Vec<Claim> {
    let layout = layout();
    let mut claims = Vec::new();
    for (member, sample) in samples.iter().enumerate() {
        let entry = sample.entry(Path::new("/s"));
        let mut claim = |path: String, source: Source| claims.push(Claim { path, member, source });
        for path in sample.site_files() {
            let source = Source::File(entry.join("site").join(&path));
            claim(format!("{}/{path}", layout.site_packages), source);
        }
        for (path, python) in &sample.scripts {
            let place = entry.join("scripts").join(path);
            let source = if *python { Source::Script(place) } else { Source::File(place) };
            claim(format!("{}/{path}", layout.scripts), source);
        }
        for name in &sample.commands {
            claim(format!("{}/{name}", layout.scripts), Source::EntryPoint);
        }
        for path in &sample.headers {
            let source = Source::File(entry.join("headers").join(path));
            claim(format!("{}/{}/{path}", layout.headers, sample.name), source);
        }
        for path in &sample.data {
            claim(path.clone(), Source::File(entry.join("data").join(path)));
        }
    }
    claims
}

/// A path that is somebody's file and also somebody's folder.
fn disputed(claims: &[Claim]) -> Option<&str> {
    let is_folder = |path: &str| {
        let inside = format!("{path}/");
        claims.iter().any(|claim| claim.path.starts_with(&inside))
    };
    claims.iter().map(|claim| claim.path.as_str()).find(|path| is_folder(path))
}

fn plan(samples: &[Sample], mode: LinkMode) -> Result<Plan, VenvError> {
    Plan::of(&layout(), mode, &[], &LoadedSamples::of(samples, Path::new("/s")).members())
}

/// Where a program that opens a path of the venv arrives: the node that stands there, with the rest of the path where that is
/// a link to a folder. The dist-info folder's short name is spelled out.
fn arrive<'p>(plan: &'p Plan, samples: &[Sample], path: &str) -> Option<(&'p Node, Source)> {
    let mut reached = path;
    loop {
        match plan.nodes.get(reached) {
            Some(Node::Folder) => return None,
            Some(node @ Node::Text { .. }) => return Some((node, Source::EntryPoint)),
            Some(node @ Node::Script(place)) => return Some((node, Source::Script(place.clone()))),
            Some(node) => {
                let rest = path[reached.len()..].trim_start_matches('/');
                let place =
                    if rest.is_empty() { node.source()?.to_path_buf() } else { node.source()?.join(rest) };
                return Some((node, Source::File(spelled_out(&place, samples))));
            }
            None => reached = reached.rsplit_once('/')?.0,
        }
    }
}

fn spelled_out(place: &Path, samples: &[Sample]) -> PathBuf {
    for sample in samples {
        let entry = sample.entry(Path::new("/s"));
        if let Ok(inside) = place.strip_prefix(entry.join(virtpy_store::DIST_INFO_ALIAS)) {
            return entry.join("site").join(sample.dist_info()).join(inside);
        }
    }
    place.to_path_buf()
}

/// The folders that only one distribution has anything in, by path, with that distribution.
fn folders_of_one(claims: &[Claim]) -> BTreeMap<&str, usize> {
    let mut owners: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for claim in claims {
        let mut path = claim.path.as_str();
        while let Some((folder, _)) = path.rsplit_once('/') {
            owners.entry(folder).or_default().insert(claim.member);
            path = folder;
        }
    }
    let of_one = owners.into_iter().filter(|(_, members)| members.len() == 1);
    of_one.filter_map(|(folder, members)| Some((folder, members.into_iter().next()?))).collect()
}

/// The paths in a distribution's RECORD, in its order.
fn recorded(plan: &Plan, sample: &Sample) -> Vec<String> {
    let path = format!("{}/{}/RECORD", layout().site_packages, sample.dist_info());
    let Some(Node::Text { content, .. }) = plan.nodes.get(&path) else { panic!("{path} is not written") };
    let rows = wheel::parse_record(std::str::from_utf8(content).unwrap()).unwrap();
    rows.into_iter().map(|row| row.path).collect()
}

proptest! {
    /// Every file of every distribution is there, as the last one's that has it.
    #[test]
    fn every_file_is_reached_and_the_later_one_wins(samples in sets(4), mode in modes()) {
        let claims = claims(&samples);
        let plan = match (plan(&samples, mode), disputed(&claims)) {
            (Ok(plan), None) => plan,
            (Err(VenvError::FileAgainstFolder { .. }), Some(_)) => return Ok(()),
            (other, disputed) => panic!("{disputed:?} is disputed: {other:?}"),
        };
        for claim in &claims {
            let rivals: Vec<&Claim> = claims.iter().filter(|other| other.path == claim.path).collect();
            let winner = rivals.iter().map(|rival| rival.member).max();
            let arrived = arrive(&plan, &samples, &claim.path);
            let Some((node, source)) = arrived else {
                return Err(TestCaseError::fail(format!("nothing is at {}", claim.path)));
            };
            let is_winners = |rival: &&&Claim| Some(rival.member) == winner && rival.source == source;
            prop_assert!(rivals.iter().any(|rival| is_winners(&rival)), "{}: {node:?}", claim.path);
            let losers: BTreeSet<usize> =
                rivals.iter().map(|rival| rival.member).filter(|member| Some(*member) != winner).collect();
            for loser in losers {
                let name = &samples[loser].name;
                let told = |clash: &Clash| clash.path == claim.path && clash.loser == *name;
                prop_assert!(plan.clashes.iter().any(told), "nobody is told of {} and {name}", claim.path);
            }
        }
        let is_real = |clash: &Clash| claims.iter().filter(|claim| claim.path == clash.path).count() > 1;
        prop_assert!(plan.clashes.iter().all(is_real), "{:?}", plan.clashes);
    }

    /// Nothing stands below a link or a file, and nothing is there that nobody asked for.
    #[test]
    fn nothing_stands_in_a_link_and_nothing_is_made_for_nobody(samples in sets(4), mode in modes()) {
        let claims = claims(&samples);
        let Ok(plan) = plan(&samples, mode) else { return Ok(()) };
        let layout = layout();
        for (path, node) in &plan.nodes {
            let mut above = path.as_str();
            while let Some((folder, _)) = above.rsplit_once('/') {
                let is_folder = plan.nodes.get(folder) == Some(&Node::Folder);
                prop_assert!(is_folder || layout.is_skeleton(folder), "{path} is in {folder}");
                above = folder;
            }
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let is_wanted = claims.iter().any(|claim| claim.path == *path || claim.path.starts_with(&format!("{path}/")));
            let is_metadata = layout.is_dist_info(folder)
                && ["INSTALLER", "REQUESTED", "RECORD", "direct_url.json"].contains(&name);
            let is_marker = name == MARKER && plan.nodes.get(folder) == Some(&Node::Folder);
            let is_bytecode = name == wheel::BYTECODE_FOLDER && mode.folds();
            prop_assert!(is_wanted || is_metadata || is_marker || is_bytecode, "{path}: {node:?}");
        }
    }

    /// A folder that one distribution has alone is one link, unless another installer may put files into it.
    #[test]
    fn a_folder_of_one_is_folded(samples in sets(4), mode in modes()) {
        let claims = claims(&samples);
        let Ok(plan) = plan(&samples, mode) else { return Ok(()) };
        let (layout, of_one) = (layout(), folders_of_one(&claims));
        let manifests: Vec<Manifest> = samples.iter().map(Sample::manifest).collect();
        for (path, node) in &plan.nodes {
            let in_site = path.strip_prefix(&layout.site_packages).and_then(|rest| rest.strip_prefix('/'));
            let Some(inside) = in_site.filter(|_| *node == Node::Folder && !layout.is_always_real(path)) else { continue };
            let Some(owner) = of_one.get(path.as_str()) else { continue };
            let is_open = manifests[*owner].namespaces.iter().any(|open| open == inside);
            let from_data = samples[*owner].data.iter().any(|file| file.starts_with(path.as_str()));
            // Trees of static files below a real folder are real as well.
            let in_it = samples[*owner].site.iter().filter(|file| file.starts_with(&format!("{inside}/")));
            let is_static = mode == LinkMode::Auto && in_it.clone().all(|file| !is_code(file));
            let is_reason = !mode.folds() || samples[*owner].copied || is_open || from_data || is_static;
            prop_assert!(is_reason, "{path} is {}'s alone and real", samples[*owner].name);
        }
    }

    /// The plan is a function of the sequence; the order alone changes only what more than one distribution has.
    #[test]
    fn only_clashes_depend_on_the_order(samples in sets(4), mode in modes()) {
        let Ok(first) = plan(&samples, mode) else { return Ok(()) };
        prop_assert_eq!(&plan(&samples, mode).unwrap(), &first);
        let turned: Vec<Sample> = samples.iter().rev().cloned().collect();
        let second = plan(&turned, mode).unwrap();
        let clashing: BTreeSet<&str> = first.clashes.iter().map(|clash| clash.path.as_str()).collect();
        prop_assert_eq!(&second.clashes.iter().map(|clash| clash.path.as_str()).collect::<BTreeSet<_>>(), &clashing);
        prop_assert!(first.nodes.keys().eq(second.nodes.keys()));
        for (path, node) in &first.nodes {
            prop_assert!(clashing.contains(path.as_str()) || second.nodes[path] == *node, "{path}");
        }
    }

    /// A distribution that comes and goes leaves no trace, and what it does not touch is not touched meanwhile.
    #[test]
    fn what_nobody_shares_is_not_touched_by_others(samples in sets(4), mode in modes()) {
        let claims = claims(&samples);
        let Ok(whole) = plan(&samples, mode) else { return Ok(()) };
        let Some((_, others)) = samples.split_last() else { return Ok(()) };
        let before = plan(others, mode).unwrap();
        let last = others.len();
        for (path, node) in &before.nodes {
            let inside = format!("{path}/");
            let concerns = claims.iter().any(|claim| {
                claim.member == last
                    && (claim.path == *path
                        || claim.path.starts_with(&inside)
                        || path.rsplit_once('/').is_some_and(|(folder, _)| claim.path.starts_with(&format!("{folder}/"))))
            });
            let is_record = path.ends_with("/RECORD");
            prop_assert!(concerns || is_record || whole.nodes.get(path) == Some(node), "{path}: {node:?}");
        }
    }

    /// RECORD names every file of its distribution, and a link before what is below it.
    #[test]
    fn records_name_every_file_and_links_first(samples in sets(4), mode in modes()) {
        let claims = claims(&samples);
        let Ok(plan) = plan(&samples, mode) else { return Ok(()) };
        let layout = layout();
        let mut listed = BTreeMap::new();
        for (member, sample) in samples.iter().enumerate() {
            let paths = recorded(&plan, sample);
            for claim in claims.iter().filter(|claim| claim.member == member) {
                let row = layout.in_record(&claim.path);
                let place = paths.iter().position(|path| *path == row);
                prop_assert!(place.is_some(), "{row} is not in RECORD of {}", sample.name);
                listed.insert((member, claim.path.as_str()), place);
            }
            for (link, node) in &plan.nodes {
                let inside = format!("{link}/");
                let is_own = |claim: &Claim| claim.member == member && claim.path.starts_with(&inside);
                if matches!(node, Node::Link(_)) && claims.iter().any(is_own) {
                    let row = layout.in_record(link);
                    let place = paths.iter().position(|path| *path == row);
                    prop_assert!(place.is_some(), "the link {row} is not in RECORD of {}", sample.name);
                    for claim in claims.iter().filter(|claim| is_own(claim)) {
                        prop_assert!(place < listed[&(member, claim.path.as_str())], "{row} comes too late");
                    }
                }
            }
        }
    }
}

proptest! {
    /// Real pip takes a folder whole when all files in it are those that it uninstalls, and does not see links to folders:
    /// there is always one more where another distribution would lose something.
    #[test]
    fn a_foreign_uninstall_takes_nothing_of_others(samples in sets(4), mode in modes()) {
        let claims = claims(&samples);
        let Ok(plan) = plan(&samples, mode) else { return Ok(()) };
        let layout = layout();
        let is_link_to_folder = |path: &str, node: &Node| {
            let inside = format!("{path}/");
            matches!(node, Node::Link(_)) && claims.iter().any(|claim| claim.path.starts_with(&inside))
        };
        let is_real = |(path, node): &(&String, &Node)| **node == Node::Folder && !layout.is_always_real(path);
        for (member, sample) in samples.iter().enumerate() {
            let rows = recorded(&plan, sample);
            for (folder, _) in plan.nodes.iter().filter(is_real) {
                let inside = format!("{folder}/");
                let is_in_it = |claim: &&Claim| claim.path.starts_with(&inside);
                let has_own = claims.iter().filter(is_in_it).any(|claim| claim.member == member);
                let is_others = |claim: &Claim| {
                    claim.member != member && !rows.contains(&layout.in_record(&claim.path))
                };
                let has_others = claims.iter().filter(is_in_it).any(is_others);
                let files = plan.nodes.iter().filter(|(path, node)| {
                    path.starts_with(&inside) && **node != Node::Folder && !is_link_to_folder(path, node)
                });
                let stays = files.map(|(path, _)| layout.in_record(path)).any(|row| !rows.contains(&row));
                prop_assert!(!has_own || !has_others || stays, "{folder} goes with {}", sample.name);
            }
        }
    }
}

/// Found by the first of these: data for `bin` is opened after all scripts, and the earlier one's took the place of the later one's.
#[test]
fn a_later_script_covers_earlier_data() {
    let sample = |name: &str, data: &[&str], commands: &[&str]| Sample {
        name: name.to_owned(),
        site: BTreeSet::new(),
        data: data.iter().map(|path| (*path).to_owned()).collect(),
        headers: BTreeSet::new(),
        scripts: BTreeSet::new(),
        commands: commands.iter().map(|name| (*name).to_owned()).collect(),
        requested: false,
        direct_url: None,
        copied: false,
    };
    let (data, script) = (sample("data", &["bin/tool"], &[]), sample("script", &[], &["tool"]));
    let is_written = |samples: &[Sample]| {
        matches!(plan(samples, LinkMode::Auto).unwrap().nodes["bin/tool"], Node::Text { .. })
    };
    assert!(is_written(&[data.clone(), script.clone()]));
    assert!(!is_written(&[script, data]));
}
