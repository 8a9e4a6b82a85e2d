using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Tracking.Traces;

/// <summary>What people, judges and code say about traces.</summary>
internal static class AssessmentStore
{
    private const string Columns =
        "SELECT key AS Key, trace AS Trace, id AS Id, kind AS Kind, name AS Name, value AS Value, valid AS Valid, created AS Created, updated AS Updated, document AS Document FROM trace_assessments";

    public static AssessmentRow? Find(DbConnection connection, long trace, string id) =>
        connection.QueryFirstOrDefault<AssessmentRow>(Columns + " WHERE trace = @trace AND id = @id", new { trace, id });

    public static AssessmentRow? Find(WriteScope scope, long trace, string id) =>
        scope.QueryFirstOrDefault<AssessmentRow>(Columns + " WHERE trace = @trace AND id = @id", new { trace, id });

    public static void Insert(WriteScope scope, AssessmentRow row) => scope.Execute(
        "INSERT INTO trace_assessments (trace, id, kind, name, value, valid, created, updated, document) VALUES (@Trace, @Id, @Kind, @Name, @Value, @Valid, @Created, @Updated, @Document)", row);

    public static void Update(WriteScope scope, AssessmentRow row) => scope.Execute(
        "UPDATE trace_assessments SET kind = @Kind, name = @Name, value = @Value, valid = @Valid, updated = @Updated, document = @Document WHERE trace = @Trace AND id = @Id", row);

    /// <summary>An assessment that another one overrides counts no more; when that one goes, it counts again.</summary>
    public static void SetValid(WriteScope scope, long trace, string id, bool valid) =>
        scope.Execute("UPDATE trace_assessments SET valid = @valid WHERE trace = @trace AND id = @id", new { trace, id, valid = valid ? 1 : 0 });

    public static bool Delete(WriteScope scope, long trace, string id) => scope.Execute("DELETE FROM trace_assessments WHERE trace = @trace AND id = @id", new { trace, id }) > 0;
}
