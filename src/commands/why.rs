//! `virtpy why`: which requirements bring a package into a venv.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::ReasonsArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, AskedBy, RequirementList, Way};
use crate::report;

pub(super) fn run(context: &Context, arguments: &ReasonsArguments) -> Result<u8, Failure> {
    let venv = context.venv_to_read(&arguments.venv)?.venv;
    let contents = report::contents(context, &venv)?;
    let markers = install::markers(&context.host.interpreter(&venv)?)?;
    let project = venv.root.parent().unwrap_or(&venv.root);
    let mut answers = Vec::new();
    for name in &arguments.names {
        let target = name.parse().ok().and_then(|name| contents.find_visible(&name));
        let target = target.ok_or_else(|| {
            Failure::new(format!("`{name}` is not installed in `{}`", venv.root.display()))
                .hinted("`virtpy store why` says which venvs use a package of the store")
        })?;
        let ways = install::ways_to(&contents, &markers, project, target);
        answers.push(Answer {
            name: target.name.clone(),
            version: target.version.clone(),
            store: target.layer().map(|path| path.display().to_string()),
            ways: ways.iter().map(AnswerWay::of).collect(),
        });
    }
    if arguments.json {
        context.output.json(&answers)?;
        return Ok(0);
    }
    for answer in &answers {
        let place = answer.store.as_ref().map_or_else(String::new, |store| format!(", in `{store}`"));
        context.output.data(format_args!("{} {}{place}", answer.name, answer.version));
        for way in &answer.ways {
            context.output.data(format_args!("  {}", way.line()));
        }
    }
    Ok(0)
}

/// Why a package is installed.
#[derive(JsonSchema, Serialize)]
pub(super) struct Answer {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// The lower store that it is linked from.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// The shortest way to it from each thing that was asked for.
    ways: Vec<AnswerWay>,
}

/// A way on which requirements lead to a package.
#[derive(JsonSchema, Serialize)]
struct AnswerWay {
    /// Who asked for its first package: `dependencies`, `extra`, `group` (of the project), `name` (of a command), or `nothing`.
    asked_by: &'static str,
    /// The name of the extra or the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    /// The file that it is in: `pyproject.toml` of the venv's project, or of a member of its workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The packages on it; the last one is the package itself.
    steps: Vec<AnswerStep>,
}

/// A package on a way.
#[derive(JsonSchema, Serialize)]
struct AnswerStep {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// The requirement that leads to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement: Option<String>,
}

impl AnswerWay {
    fn of(way: &Way) -> Self {
        let project = match &way.asked_by {
            AskedBy::Project(project) => Some(project),
            AskedBy::Name | AskedBy::Nothing => None,
        };
        let (asked_by, list) = match (&way.asked_by, project.map(|project| &project.list)) {
            (AskedBy::Name, _) => ("name", None),
            (_, None) => ("nothing", None),
            (_, Some(RequirementList::Dependencies)) => ("dependencies", None),
            (_, Some(RequirementList::Extra(name))) => ("extra", Some(name.clone())),
            (_, Some(RequirementList::Group(name))) => ("group", Some(name.clone())),
        };
        let steps = way.steps.iter().map(|step| AnswerStep {
            name: step.name.clone(),
            version: step.version.clone(),
            requirement: step.requirement.clone(),
        });
        Self { asked_by, list, file: project.map(|project| project.file.clone()), steps: steps.collect() }
    }

    /// As people read it.
    fn line(&self) -> String {
        let list = self.list.as_deref().unwrap_or_default();
        let file = self.file.as_deref().unwrap_or_default();
        let mut line = match self.asked_by {
            "dependencies" => format!("the dependencies of `{file}`"),
            "extra" | "group" => format!("the {} `{list}` of `{file}`", self.asked_by),
            "name" => "asked for by name".to_owned(),
            _ => "nothing requires it".to_owned(),
        };
        let is_alone = self.steps.len() == 1 && self.steps.iter().all(|step| step.requirement.is_none());
        for step in self.steps.iter().filter(|_| !is_alone) {
            line.extend([" → ", &step.name, " ", &step.version]);
            if let Some(requirement) = &step.requirement {
                line.extend([" (", requirement, ")"]);
            }
        }
        line
    }
}
