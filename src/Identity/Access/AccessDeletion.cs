using Zaffre.Database;
using Zaffre.Identity.Data;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Identity.Access;

/// <summary>Role assignments and job tokens go with the resource they hang under.</summary>
internal sealed class AccessDeletion(AccessDirectory directory) : IScopedDeletion
{
    public void Delete(WriteScope write, ArmId scope)
    {
        AssignmentRows.DeleteBelow(write, AssignmentRow.KeyOf(scope.Value));
        JobTokenRows.DeleteBelow(write, scope.Key);
        directory.Changed(write);
    }
}
