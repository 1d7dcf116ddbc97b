import Contracts

/// The services there are, one for each contract.
package struct ServiceCatalog: Sendable {
    private let reads: [String: any ReadService]
    private let writes: [String: any WriteService]
    private let gateway: [String: any ReadService]

    /// Every service of this program. A new one is added here, with its contract in `policies/services/`.
    package static let shipped = ServiceCatalog(
        reads: [
            ReadProducts(), ReadWorkCenters(), ReadProductionOrders(), ReadInventory(), ReadOperation(),
            ReadApprovals(), ReadEvents(), ReadBatches(), RecordRead.billsOfMaterials, RecordRead.routings,
            RecordRead.workOrders,
            RecordRead.locations, RecordRead.lots, RecordRead.suppliers, RecordRead.purchaseOrders,
            RecordRead.equipment,
        ],
        writes: [
            CreateProductionOrderService(), ChangeQuantityService(), ReleaseProductionOrderService(),
            ReserveMaterialsService(), ConfirmProductionService(), CancelProductionOrderService(),
            WorkOrderService(action: .start), WorkOrderService(action: .pause), WorkOrderService(action: .finish),
            WorkOrderService(action: .cancel), OrderWorkService(action: .start), OrderWorkService(action: .pause),
            OrderWorkService(action: .finish),
            ConsumeMaterialService(), CreateTransferService(), ValidateTransferService(), CountInventoryService(),
            CreateLotService(), UnbuildService(), RequestMaintenanceService(), CloseMaintenanceService(),
            ReportScrapService(), ReportLabourService(), ReportDowntimeService(),
            CloseDowntimeService(), RaiseQualityAlertService(), CloseQualityAlertService(), RecordInspectionService(),
            LotHoldService(direction: .hold), LotHoldService(direction: .release),
        ],
        gateway: [DecideApproval(), EvaluateAccess(), PostEvents(), SubmitBatch()])

    init(reads: [any ReadService], writes: [any WriteService], gateway: [any ReadService] = []) {
        self.gateway = Dictionary(gateway.map { ($0.operation, $0) }, uniquingKeysWith: { first, _ in first })
        self.reads = Dictionary(reads.map { ($0.operation, $0) }, uniquingKeysWith: { first, _ in first })
        self.writes = Dictionary(writes.map { ($0.operation, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package var operations: Set<String> { Set(reads.keys).union(writes.keys).union(gateway.keys) }

    func read(_ operation: String) -> (any ReadService)? { reads[operation] }
    func gateway(_ operation: String) -> (any ReadService)? { gateway[operation] }
    func write(_ operation: String) -> (any WriteService)? { writes[operation] }

    /// Everything in which contracts and services do not fit: to be empty before the gateway starts.
    package func mismatches(with contracts: ContractSet) -> [String] {
        var found: [String] = []
        for contract in contracts.contracts {
            let endpoints: Set<String>
            switch contract.kind {
            case .read:
                guard let service = reads[contract.operation] else {
                    found.append("\(contract.file): no service reads '\(contract.operation)'")
                    continue
                }
                endpoints = service.endpoints
            case .gateway:
                guard let service = gateway[contract.operation] else {
                    found.append("\(contract.file): no service of the gateway does '\(contract.operation)'")
                    continue
                }
                endpoints = service.endpoints
            case .write:
                if let own = SiteService(contract) {
                    if writes[contract.operation] != nil {
                        found.append(
                            "\(contract.file): '\(contract.operation)' is a service of this program: no recipe")
                    }
                    endpoints = own.endpoints
                    break
                }
                guard let service = writes[contract.operation] else {
                    found.append("\(contract.file): no service carries out '\(contract.operation)'")
                    continue
                }
                endpoints = service.endpoints
            }
            let promised = Set(contract.endpoints.map(\.name))
            for name in promised.subtracting(endpoints).sorted() {
                found.append("\(contract.file): the service of '\(contract.operation)' has no endpoint '\(name)'")
            }
            for name in endpoints.subtracting(promised).sorted() {
                found.append("\(contract.file): the endpoint '\(name)' of '\(contract.operation)' has no contract")
            }
        }
        for name in operations.subtracting(contracts.operations).sorted() {
            found.append("the service '\(name)' has no contract")
        }
        return found
    }
}
