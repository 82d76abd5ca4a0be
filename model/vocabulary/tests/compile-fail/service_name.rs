use vocabulary::ServiceName;

const NAME: ServiceName = ServiceName::new("Notification_Service");

fn main() {}
