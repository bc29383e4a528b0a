//! Mutations that stay sound: a checksum that a mutation broke hides all that is behind it from the fuzzer.

/// Most mutations are mended, some are left as they are, so that the checks themselves are tried too.
const fn leave(seed: u32) -> bool {
    seed % 4 == 0
}

/// Makes the directory and the checksums of a zip archive fit the members that stand in it. Returns the new size.
pub fn zip(data: &mut [u8], size: usize, seed: u32) -> usize {
    if leave(seed) {
        return size;
    }
    let mut out = Vec::new();
    let mut directory = Vec::new();
    let mut count = 0_u16;
    let mut place = 0;
    // The directory's own fields that are not repeated in a local header come from the old one.
    let old = find(&data[..size], b"PK\x01\x02").unwrap_or(size);
    while place + 30 <= old && data[place..].starts_with(b"PK\x03\x04") {
        let fixed = &data[place..place + 30];
        let (name, extra) = (usize::from(u16_at(fixed, 26)), usize::from(u16_at(fixed, 28)));
        let start = place + 30 + name + extra;
        if start > old {
            break;
        }
        // The next member tells where the data ends, so that it may grow and shrink.
        let end = find(&data[start..old], b"PK\x03\x04").map_or(old, |next| start + next);
        let content = &data[start..end];
        let mut fixed = fixed.to_vec();
        fixed[6] &= !8;
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes();
        fixed[18..22].copy_from_slice(&length);
        if u16_at(&fixed, 8) == 0 {
            fixed[14..18].copy_from_slice(&crc32(content).to_le_bytes());
            fixed[22..26].copy_from_slice(&length);
        } else if let Some(plain) = inflate(content) {
            fixed[14..18].copy_from_slice(&crc32(&plain).to_le_bytes());
            fixed[22..26].copy_from_slice(&u32::try_from(plain.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        let attributes = nth(&data[..size], b"PK\x01\x02", usize::from(count))
            .and_then(|old| data[..size].get(old + 38..old + 42))
            .map_or([0, 0, 0xa4, 0x81], |bytes| [bytes[0], bytes[1], bytes[2], bytes[3]]);
        directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        directory.extend_from_slice(&fixed[4..30]);
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&attributes);
        directory.extend_from_slice(&u32::try_from(out.len()).unwrap_or(u32::MAX).to_le_bytes());
        directory.extend_from_slice(&data[place + 30..start]);
        out.extend_from_slice(&fixed);
        out.extend_from_slice(&data[place + 30..end]);
        count += 1;
        place = end;
    }
    if count == 0 {
        return size;
    }
    let start = u32::try_from(out.len()).unwrap_or(u32::MAX);
    let length = u32::try_from(directory.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    let Some(into) = data.get_mut(..out.len()) else { return size };
    into.copy_from_slice(&out);
    out.len()
}

/// Makes the checksums of a tar archive's headers right and closes it. Returns the new size.
pub fn tar(data: &mut [u8], size: usize, seed: u32) -> usize {
    if leave(seed) || matches!(data, [0x1f, 0x8b, ..] | [b'B', b'Z', b'h', ..] | [0x28, 0xb5, 0x2f, 0xfd, ..])
    {
        return size;
    }
    let mut place = 0;
    while let Some(block) = data[..size].get_mut(place..place + 512) {
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        // Names are often in the middle of a mutation; these fields have to be exact to matter at all.
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let length = std::str::from_utf8(&block[124..135]).ok();
        let length = length.and_then(|text| usize::from_str_radix(text, 8).ok()).unwrap_or_default();
        let next = place + 512 + length;
        let padded = next.next_multiple_of(512);
        if padded > size {
            break;
        }
        data[next..padded].fill(0);
        place = padded;
    }
    if seed % 4 == 1 && place + 1024 <= data.len() {
        data[place..place + 1024].fill(0);
        return place + 1024;
    }
    size
}

fn inflate(content: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut plain = Vec::new();
    flate2::read::DeflateDecoder::new(content).take(1 << 21).read_to_end(&mut plain).ok()?;
    Some(plain)
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn find(bytes: &[u8], what: &[u8; 4]) -> Option<usize> {
    nth(bytes, what, 0)
}

fn nth(bytes: &[u8], what: &[u8; 4], count: usize) -> Option<usize> {
    bytes.windows(4).enumerate().filter(|(_, window)| window == what).map(|(place, _)| place).nth(count)
}

fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_le_bytes([bytes[place], bytes[place + 1]])
}
