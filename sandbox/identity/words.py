"""What the sign-in page says, in English and Chinese."""

from collections.abc import Mapping

EN: Mapping[str, str] = {
    "lang": "en",
    "other": "中文",
    "other_locale": "zh-CN",
    "title": "Sign in to Dandelion",
    "lead": "This platform runs for trying out: choose who you are. Nobody asks for a password here, and everybody who reaches"
    " this page can be anybody.",
    "market": "The market",
    "staff": "The platform's staff",
    "latest": "Made up here before",
    "own": "Somebody else",
    "own_lead": "A brand, an agency or a creator is its id: any UUID is a new organisation; a creator is known by the id that its"
    " page shows.",
    "role": "Role",
    "party": "Id (UUID)",
    "party_hint": "e.g. 6f1c1a52-0f0e-4a55-9d5b-1f6f0a7a3c11",
    "name": "Name in the log (may be left out)",
    "go": "Sign in",
    "brand": "brand",
    "agency": "agency",
    "creator": "creator",
    "reviewer": "reviewer",
    "finance": "finance",
    "operator": "operator",
    "auditor": "auditor",
    "person_unknown": "Nobody of that name is known here: choose one of the people below.",
    "role_unknown": "Choose brand, agency or creator.",
    "party_malformed": "That is no UUID: it has 32 digits and small letters a to f, in groups of 8-4-4-4-12.",
    "name_malformed": "A name has 80 characters at most, all of them printable.",
    "name_taken": "That name is one of the people above: choose another.",
    "stranger": "This address cannot be used to sign in",
    "stranger_do": "It names a client or an address for the answer that is not registered here. Open the console and sign in from"
    " there:",
    "out": "You are signed out",
    "out_do": "To sign in again, open the console:",
}
ZH: Mapping[str, str] = {
    "lang": "zh-CN",
    "other": "English",
    "other_locale": "en",
    "title": "登录 Dandelion",
    "lead": "此平台仅供试用：请选择您的身份。这里不需要密码，能打开此页面的人可以使用任何身份。",
    "market": "市场各方",
    "staff": "平台员工",
    "latest": "此前自建的身份",
    "own": "其他身份",
    "own_lead": "品牌、代理机构和创作者以 ID 区分：任意 UUID 即为一个新组织；创作者的 ID 见其主页。",
    "role": "角色",
    "party": "ID（UUID）",
    "party_hint": "例如 6f1c1a52-0f0e-4a55-9d5b-1f6f0a7a3c11",
    "name": "日志中显示的名称（可不填）",
    "go": "登录",
    "brand": "品牌",
    "agency": "代理机构",
    "creator": "创作者",
    "reviewer": "审核员",
    "finance": "财务",
    "operator": "运维",
    "auditor": "审计",
    "person_unknown": "这里没有此人：请从下方选择。",
    "role_unknown": "请选择品牌、代理机构或创作者。",
    "party_malformed": "这不是 UUID：应为 32 位数字或小写字母 a 至 f，按 8-4-4-4-12 分组。",
    "name_malformed": "名称最多 80 个字符，且须为可显示字符。",
    "name_taken": "该名称已属于上方的人员：请换一个。",
    "stranger": "无法通过此地址登录",
    "stranger_do": "请求中的客户端或回调地址未在此登记。请打开控制台，从那里登录：",
    "out": "您已退出登录",
    "out_do": "如需重新登录，请打开控制台：",
}


def words_of(ui_locales: str, accept_language: str) -> Mapping[str, str]:
    """The words of the first language that is English or Chinese: of the client's wish, else of the browser's; else English."""
    for told in (ui_locales.split(), accept_language[:500].split(",")):
        for one in told:
            if (language := one.strip()[:2].lower()) in ("en", "zh"):
                return ZH if language == "zh" else EN
    return EN
