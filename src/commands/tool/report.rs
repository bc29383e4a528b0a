//! What the commands that change applications say of them: sentences for people, or one list for programs.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::error::Failure;
use crate::install::ToolOutcome;
use crate::output::{counted, seconds};
use crate::report;
use crate::tools::Tool;

/// What came of each application.
pub(super) struct Reports<'a> {
    context: &'a Context,
    json: bool,
    all: Mutex<Vec<Report>>,
}

/// What came of one.
#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Report {
    /// Its name.
    name: String,
    /// Its package.
    package: String,
    /// Its version.
    version: String,
    /// The version that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<String>,
    /// Whether it is another one than before.
    changed: bool,
    /// Its commands.
    commands: Vec<String>,
    /// Its venv.
    venv: std::path::PathBuf,
}

impl<'a> Reports<'a> {
    /// None yet.
    pub(super) fn new(context: &'a Context, json: bool) -> Self {
        Self { context, json, all: Mutex::new(Vec::new()) }
    }

    fn say(&self, message: impl Display) {
        if !self.json {
            self.context.output.message(message);
        }
    }

    /// Tells people about a new or changed application, and remembers it for programs.
    pub(super) fn tell(&self, verb: &str, outcome: &ToolOutcome) {
        report::warnings(self.context.output, &outcome.log);
        let tool = &outcome.tool;
        let commands: Vec<&str> = tool.manifest.commands().collect();
        self.say(format_args!(
            "{verb} {} {} with {} in {}: {}",
            tool.name,
            tool.manifest.version,
            counted(commands.len(), "command"),
            seconds(outcome.taken),
            commands.join(", ")
        ));
        let before = outcome.previous.as_ref().map(|previous| previous.manifest.version.as_str());
        self.add(tool, before, outcome.changed);
    }

    /// Tells people of an application that stays as it is, and remembers it for programs.
    pub(super) fn unchanged(&self, tool: &Tool, what: impl Display) {
        self.say(format_args!("{} {what}", tool.name));
        self.add(tool, None, false);
    }

    fn add(&self, tool: &Tool, replaced: Option<&str>, changed: bool) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(Report {
            name: tool.name.clone(),
            package: tool.manifest.package.clone(),
            version: tool.manifest.version.clone(),
            replaced: replaced.filter(|_| changed).map(str::to_owned),
            changed,
            commands: tool.manifest.commands().map(str::to_owned).collect(),
            venv: tool.venv.clone(),
        });
    }

    /// Prints the list, if programs want it. Returns the exit code that it is given.
    pub(super) fn end(self, code: u8) -> Result<u8, Failure> {
        if self.json {
            let mut all = self.all.into_inner().unwrap_or_else(PoisonError::into_inner);
            all.sort_by(|one, other| one.name.cmp(&other.name));
            self.context.output.json(&all)?;
        }
        Ok(code)
    }
}
