pub struct SimRuntime;
