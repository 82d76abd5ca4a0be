use vocabulary::{Platform, Resolved};

fn valid_without_a_check(platform: Platform) -> Resolved {
    Resolved(platform)
}

fn main() {}
