use vocabulary::Image;

const IMAGE: Image = Image::new("postgres", "18").digest("sha256:abc");

fn main() {}
