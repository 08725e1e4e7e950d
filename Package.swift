// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "Tron",
    products: [
        .library(name: "Tron", targets: ["Tron"]),
        .executable(name: "echo-demo", targets: ["echo-demo"]),
    ],
    targets: [
        .systemLibrary(name: "CEpollShim", path: "CEpollShim"),
        .target(
            name: "Tron",
            dependencies: ["CEpollShim"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]
        ),
        .executableTarget(name: "echo-demo", dependencies: ["Tron"], swiftSettings: strict),
        .executableTarget(
            name: "micro-benchmark",
            dependencies: ["Tron"],
            path: "Benchmarks/micro-benchmark",
            swiftSettings: strict
        ),
        .testTarget(
            name: "TronTests",
            dependencies: ["Tron", "echo-demo"],
            resources: [.copy("vectors.json")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
