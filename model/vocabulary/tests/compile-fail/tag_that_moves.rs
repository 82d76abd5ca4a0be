use vocabulary::Image;

const IMAGE: Image = Image::new("example/program", "latest");

fn main() {}
