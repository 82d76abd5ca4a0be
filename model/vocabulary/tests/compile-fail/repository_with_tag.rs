use vocabulary::Image;

const IMAGE: Image = Image::new("postgres:18", "18");

fn main() {}
