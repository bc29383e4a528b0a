//! Options that variables and configuration files give. pip takes every long option from there.

use super::parse::{PipRequest, PipUsage, options_of};
use super::table::{Kind, PipOption};

/// What says nothing there: it is on the command line or nowhere.
const COMMAND_LINE_ONLY: [&str; 3] = ["help", "version", "isolated"];

impl PipRequest {
    /// Adds what is configured. `texts` gives what an option is set to under one of its names, the weakest first:
    /// for all commands, for this one, and by a variable; what sets nothing is left out.
    ///
    /// # Errors
    /// When a text makes no sense for its option.
    pub fn complete(&mut self, texts: &dyn Fn(&[&str]) -> Vec<String>) -> Result<(), PipUsage> {
        for option in options_of(self.command) {
            if COMMAND_LINE_ONLY.contains(&option.names[0]) {
                continue;
            }
            let texts = texts(option.names);
            // Only those that collect hear the weaker ones too.
            let skipped = if option.kind == Kind::Each { 0 } else { texts.len().saturating_sub(1) };
            for text in &texts[skipped..] {
                self.configure(option, text)?;
            }
        }
        Ok(())
    }

    fn configure(&mut self, option: &PipOption, text: &str) -> Result<(), PipUsage> {
        let name = option.names[0];
        let times = match option.kind {
            Kind::Switch => truth(text).map(usize::from),
            Kind::Inverted => truth(text).map(|on| usize::from(!on)),
            Kind::Count => truth(text)
                .map(usize::from)
                .or_else(|| text.trim().parse().ok().map(|times: usize| times.min(3))),
            _ => {
                let values =
                    if option.kind == Kind::List { text.split_whitespace().collect() } else { vec![text] };
                for value in values {
                    if let Some(complaint) = option.complaint(value) {
                        return Err(misconfigured(name, &complaint));
                    }
                    self.configured.push((name, value.to_owned()));
                }
                return Ok(());
            }
        };
        let Some(times) = times else {
            let instead = match option.kind {
                Kind::Count => {
                    "please instead specify either a non-negative integer or a boolean value like yes/no or \
                     false/true which is equivalent to 1/0."
                }
                _ => "please specify a boolean value like yes/no, true/false or 1/0 instead.",
            };
            return Err(self.wrong(&format!("{text} is not a valid value for {name} option, {instead}")));
        };
        self.configured.extend(std::iter::repeat_n((name, String::new()), times));
        Ok(())
    }
}

/// A truth value as pip reads one.
fn truth(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn misconfigured(name: &str, complaint: &str) -> PipUsage {
    let message = format!(
        "ERROR: An error occurred during configuration: option {name}: {complaint}. Check your pip configuration \
         files or environment variables for this value."
    );
    PipUsage { message, code: 3 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::pip::{PipLine, parse};

    /// A request with what is configured, from weak to strong.
    fn request(line: &str, settings: &[(&str, &str)]) -> Result<PipRequest, PipUsage> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Ok(PipLine::Own(mut request)) = parse(&words) else { panic!("{line}") };
        request.complete(&|names| {
            let of = settings.iter().filter(|(name, _)| names.contains(name));
            of.map(|(_, text)| (*text).to_owned()).collect()
        })?;
        Ok(request)
    }

    fn given(line: &str, settings: &[(&str, &str)]) -> PipRequest {
        request(line, settings).unwrap()
    }

    #[test]
    fn the_strongest_counts_and_the_command_line_is_above_it() {
        let one = given(
            "install six",
            &[("report", "a file"), ("report", "b file"), ("no-deps", "1"), ("no-deps", "off")],
        );
        assert_eq!((one.value("report"), one.has("no-deps")), (Some("b file"), false));
        let one = given("install --report c six", &[("report", "a")]);
        assert_eq!(one.value("report"), Some("c"));
        assert_eq!(given("list", &[("format", "json")]).value("format"), Some("json"));
        assert_eq!(given("list --format freeze", &[("format", "json")]).value("format"), Some("freeze"));
        assert!(given("install x", &[("no-dependencies", "yes")]).has("no-deps"), "by another of its names");
        assert!(!given("install x", &[("isolated", "yes"), ("help", "1")]).has("isolated"));
        assert!(!given("install --no-user x", &[("user", "true")]).is_on("user", "no-user"));
    }

    #[test]
    fn lists_are_added_to() {
        let one =
            given("install -c c.txt x", &[("constraint", "weak.txt"), ("constraint", "a.txt\n  b.txt")]);
        assert_eq!(one.values("constraint"), ["a.txt", "b.txt", "c.txt"]);
        assert_eq!(
            (one.configured("constraint"), one.given("constraint")),
            (vec!["a.txt", "b.txt"], vec!["c.txt".to_owned()])
        );
        let one = given("install -C k=3 x", &[("config-settings", "k=1 1"), ("config-settings", "k=2")]);
        assert_eq!(one.values("config-settings"), ["k=1 1", "k=2", "k=3"]);
    }

    #[test]
    fn switches_and_counts_take_truth_values() {
        for (text, on) in
            [("Yes", true), ("t", true), ("ON", true), ("1", true), ("no", false), ("F", false), ("0", false)]
        {
            assert_eq!(given("install x", &[("no-deps", text)]).has("no-deps"), on, "{text}");
            assert_eq!(
                given("install x", &[("no-build-isolation", text)]).has("no-build-isolation"),
                !on,
                "{text}"
            );
        }
        assert_eq!(given("install -v x", &[("verbose", "2")]).count("verbose"), 3);
        assert_eq!(given("install -q x", &[("quiet", "true")]).count("quiet"), 2);
    }

    #[test]
    fn wrong_texts_are_told_in_pips_words() {
        for (name, text, message, code) in [
            ("no-deps", "2", "2 is not a valid value for no-deps option, please specify a boolean", 2),
            ("quiet", "-1", "-1 is not a valid value for quiet option, please instead specify either", 2),
            ("retries", "x", "during configuration: option retries: invalid integer value: 'x'. Check", 3),
            ("timeout", "x", "option timeout: invalid floating-point value: 'x'", 3),
            (
                "progress-bar",
                "x",
                "option progress-bar: invalid choice: 'x' (choose from 'auto', 'on', 'off', 'raw')",
                3,
            ),
        ] {
            let wrong = request("install x", &[(name, text)]).unwrap_err();
            assert!(wrong.message.contains(message) && wrong.code == code, "{name}: {wrong:?}");
        }
    }
}
