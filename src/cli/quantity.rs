//! Sizes and durations as people write them: `20GB`, `1.5 GiB`, `30d`, `12 hours`.

use std::time::Duration;

/// A size in bytes. `k`, `M`, `G` and `T` are powers of 1000, with an `i` powers of 1024; a `B` may follow.
///
/// # Errors
/// When the text is not a number with such a unit.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let unit = unit.to_ascii_lowercase();
    let factor: u64 = match unit.strip_suffix('b').unwrap_or(&unit) {
        "" => 1,
        "k" => 1000,
        "m" => 1000_u64.pow(2),
        "g" => 1000_u64.pow(3),
        "t" => 1000_u64.pow(4),
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        "ti" => 1 << 40,
        _ => return Err(format!("`{text}` is not a size: write it as `500MB`, `20GB` or `1.5GiB`")),
    };
    scaled(number, factor).ok_or_else(|| format!("`{text}` is not a size: write it as `500MB` or `20GB`"))
}

/// A duration; a number without a unit is in days.
///
/// # Errors
/// When the text is not a number with a unit of time.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => 1,
        "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 60 * 60,
        "" | "d" | "day" | "days" => 24 * 60 * 60,
        "w" | "week" | "weeks" => 7 * 24 * 60 * 60,
        _ => return Err(format!("`{text}` is not a duration: write it as `30d`, `12h` or `2w`")),
    };
    scaled(number, seconds)
        .map(Duration::from_secs)
        .ok_or_else(|| format!("`{text}` is not a duration: write it as `30d`, `12h` or `2w`"))
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

/// A decimal number times a factor, in whole numbers: `1.5` times 1000 is 1500.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 9 {
        return None;
    }
    let mut result = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    if !fraction.is_empty() {
        let tenths = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor) / u128::from(tenths);
        result = result.checked_add(u64::try_from(part).ok()?)?;
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read_as_people_write_them() {
        let sizes =
            [("0", 0), ("512", 512), ("20GB", 20_000_000_000), ("1.5 GiB", 1_610_612_736), ("3k", 3000)];
        for (text, expected) in sizes {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        let durations =
            [("30", 2_592_000), ("30d", 2_592_000), ("1.5 h", 5400), ("2 weeks", 1_209_600), ("0s", 0)];
        for (text, expected) in durations {
            assert_eq!(duration(text), Ok(Duration::from_secs(expected)), "{text}");
        }
        for text in ["", "GB", "-1GB", "1,5GB", "1.2.3k", "9e9", "99999999999999TB", "1.GB.2"] {
            assert!(size(text).is_err(), "{text}");
        }
        for text in ["", "d", "-1d", "1 month", "99999999999999999999"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
